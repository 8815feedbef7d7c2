/* PRELU on float32. */
#pragma GCC optimize("O2") /* like TFLM, which would be faster otherwise */
#include "aot_prelu.h"

static inline float *prelu_row(aot_axis_t inner, const float *x, const float *alpha, float *y) {
    for (uint32_t i = 0; i < inner.size; i++) {
        *y++ = *x >= 0.0f ? *x : *x * *alpha;
        x += inner.first_step;
        alpha += inner.second_step;
    }
    return y;
}

void aot_prelu_f32(const aot_prelu_f32_t *layer, const float *x, const float *alpha, float *y) {
    aot_position_t at = {0};
    do {
        y = prelu_row(layer->axes[layer->axis_count - 1], x + at.first, alpha + at.second, y);
    } while (aot_advance(&at, layer->axes, layer->axis_count - 1));
}

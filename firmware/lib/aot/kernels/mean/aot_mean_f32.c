/* MEAN on float32. */
#pragma GCC optimize("O2") /* like TFLM, which would be faster otherwise */
#include "aot_float.h"
#include "aot_mean.h"

static float sum_of(const aot_axis_t *axes, uint32_t axis_count, const float *x) {
    const aot_axis_t inner = axes[axis_count - 1];
    float sum = 0.0f;
    aot_position_t at = {0};
    do {
        const float *element = x + at.first;
        uint32_t n = inner.size;
        AOT_REPEAT(n, sum += *element; element += inner.first_step)
    } while (aot_advance(&at, axes, axis_count - 1));
    return sum;
}

void aot_mean_f32(const aot_mean_f32_t *layer, const float *x, float *y) {
    aot_position_t at = {0};
    do {
        *y++ = sum_of(layer->reduced, layer->reduced_count, x + at.first) / layer->elements;
    } while (aot_advance(&at, layer->kept, layer->kept_count));
}

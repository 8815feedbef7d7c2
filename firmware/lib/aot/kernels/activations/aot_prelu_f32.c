/* PRELU on float32. */
#pragma GCC optimize("O2") /* like TFLM, which would be faster otherwise */
#include "aot_float.h"
#include "aot_prelu.h"

static inline float prelu(float x, float alpha) {
    const float product = x * alpha; /* without a branch */
    return x >= 0.0f ? x : product;
}

/* A row; steps are constant, so that the loop has no other instructions for them. */
static inline __attribute__((always_inline)) float *prelu_row(uint32_t n, const float *x, uint32_t x_step,
                                                              const float *alpha, uint32_t alpha_step, float *y) {
    AOT_REPEAT(n, *y++ = prelu(*x, *alpha); x += x_step; alpha += alpha_step)
    return y;
}

void aot_prelu_f32(const aot_prelu_f32_t *layer, const float *x, const float *alpha, float *y) {
    const aot_axis_t inner = layer->axes[layer->axis_count - 1];
    const aot_axis_t outer = aot_second_axis(layer->axes, layer->axis_count);
    aot_position_t at = {0};
    do {
        const float *p = x + at.first, *q = alpha + at.second;
        for (uint32_t rows = outer.size; rows != 0; rows--, p += outer.first_step, q += outer.second_step) {
            if (inner.first_step == 0) {
                y = prelu_row(inner.size, p, 0, q, 1, y);
            } else if (inner.second_step == 0) {
                y = prelu_row(inner.size, p, 1, q, 0, y);
            } else {
                y = prelu_row(inner.size, p, 1, q, 1, y);
            }
        }
    } while (aot_advance(&at, layer->axes, layer->axis_count > 2 ? layer->axis_count - 2 : 0));
}

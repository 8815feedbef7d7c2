/* PRELU on int8. */
#include "aot_prelu.h"

static inline int8_t *prelu_row(const aot_prelu_s8_t *layer, const int8_t *x, const int8_t *alpha, int8_t *y) {
    const aot_axis_t inner = layer->axes[layer->axis_count - 1];
    for (uint32_t i = 0; i < inner.size; i++) {
        const int32_t value = *x - layer->x_zero_point;
        const int32_t result = value >= 0 ? aot_rescale(value, layer->identity)
                                          : aot_rescale(value * (*alpha - layer->alpha_zero_point), layer->slope);
        *y++ = aot_store_s8(result, layer->zero_point, INT8_MIN, INT8_MAX);
        x += inner.first_step;
        alpha += inner.second_step;
    }
    return y;
}

void aot_prelu_s8(const aot_prelu_s8_t *layer, const int8_t *x, const int8_t *alpha, int8_t *y) {
    aot_position_t at = {0};
    do {
        y = prelu_row(layer, x + at.first, alpha + at.second, y);
    } while (aot_advance(&at, layer->axes, layer->axis_count - 1));
}

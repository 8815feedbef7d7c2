/* MUL on int8, for any factor. */
#include "aot_binary.h"

static inline int8_t *multiply_row(const aot_multiply_s8_rescaled_t *layer, const int8_t *a, const int8_t *b,
                                   int8_t *y) {
    const aot_axis_t inner = layer->axes[layer->axis_count - 1];
    for (uint32_t i = 0; i < inner.size; i++) {
        const int32_t product = (*a - layer->a_zero_point) * (*b - layer->b_zero_point);
        *y++ = aot_store_s8(aot_rescale(product, layer->scale), layer->zero_point, layer->minimum, layer->maximum);
        a += inner.first_step;
        b += inner.second_step;
    }
    return y;
}

void aot_multiply_s8_rescaled(const aot_multiply_s8_rescaled_t *layer, const int8_t *a, const int8_t *b, int8_t *y) {
    aot_position_t at = {0};
    do {
        y = multiply_row(layer, a + at.first, b + at.second, y);
    } while (aot_advance(&at, layer->axes, layer->axis_count - 1));
}

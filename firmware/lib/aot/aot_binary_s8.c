/* ADD, SUB and MUL on int8. */
#include "aot_binary.h"

static inline int8_t *add_row(const aot_add_s8_t *layer, const int8_t *a, const int8_t *b, int8_t *y) {
    /* Copies, so that the compiler knows them to survive the writes to y. */
    const aot_axis_t inner = layer->axes[layer->axis_count - 1];
    const aot_addend_t of_a = layer->a, of_b = layer->b;
    const aot_fraction_t scale = layer->scale;
    const int32_t sign = layer->sign, offset = 2 * layer->zero_point + 1;
    const int32_t minimum = layer->minimum, maximum = layer->maximum;
    for (uint32_t i = 0; i < inner.size; i++) {
        const int32_t sum = aot_addend(*a, &of_a) + sign * aot_addend(*b, &of_b);
        *y++ = (int8_t)aot_clamp(aot_requantise(sum, scale, offset), minimum, maximum);
        a += inner.first_step;
        b += inner.second_step;
    }
    return y;
}

void aot_add_s8(const aot_add_s8_t *layer, const int8_t *a, const int8_t *b, int8_t *y) {
    aot_position_t at = {0};
    do {
        y = add_row(layer, a + at.first, b + at.second, y);
    } while (aot_advance(&at, layer->axes, layer->axis_count - 1));
}

static inline int8_t *multiply_row(const aot_multiply_s8_t *layer, const int8_t *a, const int8_t *b, int8_t *y) {
    const aot_axis_t inner = layer->axes[layer->axis_count - 1];
    for (uint32_t i = 0; i < inner.size; i++) {
        const int32_t product = (*a - layer->a_zero_point) * (*b - layer->b_zero_point);
        *y++ = aot_store_s8(aot_rescale(product, layer->scale), layer->zero_point, layer->minimum, layer->maximum);
        a += inner.first_step;
        b += inner.second_step;
    }
    return y;
}

void aot_multiply_s8(const aot_multiply_s8_t *layer, const int8_t *a, const int8_t *b, int8_t *y) {
    aot_position_t at = {0};
    do {
        y = multiply_row(layer, a + at.first, b + at.second, y);
    } while (aot_advance(&at, layer->axes, layer->axis_count - 1));
}

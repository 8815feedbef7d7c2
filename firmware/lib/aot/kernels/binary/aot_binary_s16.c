/* ADD, SUB and MUL on int16. */
#pragma GCC optimize("O2") /* like TFLM, which would be faster otherwise */
#include "aot_binary.h"

/* x * scale, for a scale below one. */
static inline int32_t rescale(int32_t x, aot_scale_t scale) {
    return aot_divide_by_power_of_two(aot_multiply_high(x, scale.multiplier), scale.right);
}

static int16_t *add_row(const aot_add_s16_t *layer, const int16_t *a, const int16_t *b, int16_t *y) {
    /* Copies, which the writes to y cannot change. */
    const aot_axis_t inner = layer->axes[layer->axis_count - 1];
    const aot_add_s16_t of = *layer;
    for (uint32_t i = 0; i < inner.size; i++, a += inner.first_step, b += inner.second_step) {
        const int32_t sum =
            rescale(*a * (1 << AOT_S16_LEFT_SHIFT), of.a) + of.sign * rescale(*b * (1 << AOT_S16_LEFT_SHIFT), of.b);
        *y++ = (int16_t)aot_clamp(rescale(sum, of.scale), of.minimum, of.maximum);
    }
    return y;
}

void aot_add_s16(const aot_add_s16_t *layer, const int16_t *a, const int16_t *b, int16_t *y) {
    aot_position_t at = {0};
    do {
        y = add_row(layer, a + at.first, b + at.second, y);
    } while (aot_advance(&at, layer->axes, layer->axis_count - 1));
}

static int16_t *multiply_row(const aot_multiply_s16_t *layer, const int16_t *a, const int16_t *b, int16_t *y) {
    const aot_axis_t inner = layer->axes[layer->axis_count - 1];
    const aot_multiply_s16_t of = *layer;
    for (uint32_t i = 0; i < inner.size; i++, a += inner.first_step, b += inner.second_step) {
        const int32_t product = of.scale.left == 0 ? rescale(*a * *b, of.scale) : aot_rescale(*a * *b, of.scale);
        *y++ = (int16_t)aot_clamp(product, of.minimum, of.maximum);
    }
    return y;
}

void aot_multiply_s16(const aot_multiply_s16_t *layer, const int16_t *a, const int16_t *b, int16_t *y) {
    aot_position_t at = {0};
    do {
        y = multiply_row(layer, a + at.first, b + at.second, y);
    } while (aot_advance(&at, layer->axes, layer->axis_count - 1));
}

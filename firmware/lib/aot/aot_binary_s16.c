/* ADD, SUB and MUL on int16. */
#include "aot_binary.h"

/* An operand's value on the common scale. Its factor is at most one half, so it fits. */
static inline int32_t addend(int32_t x, aot_scale_t scale) {
    return aot_rescale(x * (1 << AOT_S16_LEFT_SHIFT), scale);
}

static int16_t *add_row(const aot_add_s16_t *layer, const int16_t *a, const int16_t *b, int16_t *y) {
    const aot_axis_t inner = layer->axes[layer->axis_count - 1];
    for (uint32_t i = 0; i < inner.size; i++, a += inner.first_step, b += inner.second_step) {
        const int32_t sum = addend(*a, layer->a) + layer->sign * addend(*b, layer->b);
        *y++ = (int16_t)aot_clamp(aot_rescale(sum, layer->scale), layer->minimum, layer->maximum);
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
    for (uint32_t i = 0; i < inner.size; i++, a += inner.first_step, b += inner.second_step) {
        *y++ = (int16_t)aot_clamp(aot_rescale(*a * *b, layer->scale), layer->minimum, layer->maximum);
    }
    return y;
}

void aot_multiply_s16(const aot_multiply_s16_t *layer, const int16_t *a, const int16_t *b, int16_t *y) {
    aot_position_t at = {0};
    do {
        y = multiply_row(layer, a + at.first, b + at.second, y);
    } while (aot_advance(&at, layer->axes, layer->axis_count - 1));
}

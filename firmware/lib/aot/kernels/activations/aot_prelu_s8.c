/* PRELU on int8. */
#pragma GCC optimize("O2") /* for the registers of the loop */
#include "aot_channel.h"
#include "aot_prelu.h"
#include "aot_requantize.h"

/* aot_rescale() for |x| <= 255 * 255 and left shifts of up to 14, which leave no overflow. */
static inline int32_t rescale(int32_t x, aot_scale_t scale) {
    const int32_t product = aot_multiply_high_32(x * (int32_t)(2u << scale.left), scale.multiplier);
    return scale.right == 0 ? product : (((product + (product >> 31)) >> (scale.right - 1)) + 1) >> 1;
}

void aot_prelu_s8(const aot_prelu_s8_t *layer, const int8_t *x, const int8_t *alpha, int8_t *y) {
    const aot_axis_t inner = layer->axes[layer->axis_count - 1];
    const aot_axis_t outer = aot_second_axis(layer->axes, layer->axis_count);
    /* Copies, which the writes to y cannot change. */
    const aot_scale_t identity = layer->identity, slope = layer->slope;
    const int32_t x_zero_point = layer->x_zero_point, alpha_zero_point = layer->alpha_zero_point;
    const int32_t zero_point = layer->zero_point;
    aot_position_t at = {0};
    do {
        const int8_t *p = x + at.first, *q = alpha + at.second;
        for (uint32_t rows = outer.size; rows != 0; rows--, p += outer.first_step, q += outer.second_step) {
            const int8_t *a = p, *b = q;
            for (const int8_t *end = y + inner.size; y != end; a += inner.first_step, b += inner.second_step) {
                const int32_t value = *a - x_zero_point;
                const int32_t result =
                    value >= 0 ? rescale(value, identity) : rescale(value * (*b - alpha_zero_point), slope);
                *y++ = (int8_t)aot_saturate_s8(result + zero_point);
            }
        }
    } while (aot_advance(&at, layer->axes, layer->axis_count > 2 ? layer->axis_count - 2 : 0));
}

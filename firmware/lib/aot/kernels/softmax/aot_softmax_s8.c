/* SOFTMAX on int8. */
#include "aot_exp.h"
#include "aot_softmax.h"

/* e^(beta * scale * difference) for a difference in difference_minimum..0; 31 fractional bits. */
static int32_t exp_of_difference(const aot_softmax_s8_t *layer, int32_t difference) {
    return aot_exp_q26(aot_rescale(difference, layer->scale));
}

static void softmax_row(const aot_softmax_s8_t *layer, const int8_t *x, int8_t *y) {
    int32_t maximum = INT8_MIN;
    for (uint32_t i = 0; i < layer->depth; i++) {
        maximum = x[i] > maximum ? x[i] : maximum;
    }

    int32_t sum = 0; /* 19 fractional bits */
    for (uint32_t i = 0; i < layer->depth; i++) {
        if (x[i] - maximum >= layer->difference_minimum) {
            sum += aot_divide_by_power_of_two(exp_of_difference(layer, x[i] - maximum), 12);
        }
    }

    /* sum = (1 + fraction) * 2^(12 - headroom) with fraction in [0, 1). */
    const int headroom = __builtin_clz((uint32_t)sum);
    const int32_t fraction = (int32_t)(((uint32_t)sum << headroom) - (UINT32_C(1) << 31));
    const int32_t reciprocal = aot_one_over_one_plus_x(fraction);
    const int exponent = 12 - headroom + 31 - 8;

    for (uint32_t i = 0; i < layer->depth; i++) {
        int32_t probability = 0;
        if (x[i] - maximum >= layer->difference_minimum && exponent <= 31) {
            const int32_t product = aot_multiply_high(reciprocal, exp_of_difference(layer, x[i] - maximum));
            probability = aot_divide_by_power_of_two(product, (unsigned)exponent);
        }
        y[i] = (int8_t)aot_clamp(probability + INT8_MIN, INT8_MIN, INT8_MAX);
    }
}

void aot_softmax_s8(const aot_softmax_s8_t *layer, const int8_t *x, int8_t *y) {
    for (uint32_t row = 0; row < layer->rows; row++) {
        softmax_row(layer, x + row * layer->depth, y + row * layer->depth);
    }
}

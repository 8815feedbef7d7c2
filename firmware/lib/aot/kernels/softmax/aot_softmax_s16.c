/* SOFTMAX on int16 (reference/softmax.h). */
#pragma GCC optimize("O2") /* like TFLM, which would be faster otherwise */
#include "aot_softmax.h"

/* The interpolated table at `x`. */
static inline int32_t look_up(const int16_t *table, int32_t x) {
    const int32_t index = 256 + (x >> 7);
    return (int16_t)(table[index] + (((int16_t)(table[index + 1] - table[index]) * (x & 0x7f) + 64) >> 7));
}

static void softmax_row(const aot_softmax_s16_t *layer, const int16_t *x, int16_t *y) {
    int32_t maximum = INT16_MIN;
    for (uint32_t i = 0; i < layer->depth; i++) {
        maximum = x[i] > maximum ? x[i] : maximum;
    }
    int32_t sum = 0; /* 15 fraction bits */
    for (uint32_t i = 0; i < layer->depth; i++) {
        const int32_t difference = aot_rescale(x[i] - maximum, layer->scale);
        const int32_t exp =
            look_up(layer->exp, difference < INT16_MIN - INT16_MAX ? INT16_MIN : difference + INT16_MAX);
        y[i] = (int16_t)exp;
        sum += exp;
    }
    /* sum = (1 + fraction) * 2^(16 - headroom); the table takes the fraction relative to its middle. */
    const uint32_t headroom = (uint32_t)__builtin_clz((uint32_t)sum);
    const int32_t shifted = (int32_t)((((int64_t)sum << (headroom - 1)) + (1 << 13)) >> 14);
    const int32_t fraction = aot_clamp(shifted - ((1 << 15) + (1 << 16)), INT16_MIN, INT16_MAX);
    const int32_t reciprocal = look_up(layer->reciprocal, fraction);
    const uint32_t shift = 31 - headroom;
    for (uint32_t i = 0; i < layer->depth; i++) {
        y[i] = (int16_t)aot_clamp((y[i] * reciprocal + (1 << (shift - 1))) >> shift, 0, INT16_MAX);
    }
}

void aot_softmax_s16(const aot_softmax_s16_t *layer, const int16_t *x, int16_t *y) {
    for (uint32_t row = 0; row < layer->rows; row++) {
        softmax_row(layer, x + row * layer->depth, y + row * layer->depth);
    }
}

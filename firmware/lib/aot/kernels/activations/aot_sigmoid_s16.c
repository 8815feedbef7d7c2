/* LOGISTIC and TANH on int16 (reference/integer_ops/logistic.h and tanh.h). */
#pragma GCC optimize("O2") /* like TFLM, which would be faster otherwise */
#include "aot_activations.h"

/* The summand that rounds when the input is shifted to the scale of the table. */
static inline int32_t half_of(const aot_sigmoid_s16_t *layer) {
    return layer->shift == 0 ? 0 : 1 << (layer->shift - 1);
}

/* The table at `point`, interpolated: entries are 2^bits apart. The result has `bits` more fraction bits than these. */
static inline int32_t interpolate(const int16_t *table, const int16_t *next, uint32_t point, uint32_t bits) {
    const uint32_t index = point >> bits;
    const int32_t low = table[index], high = next[index];
    return low * (1 << bits) + (int32_t)(point & ((1u << bits) - 1u)) * (high - low);
}

void aot_logistic_s16(const aot_sigmoid_s16_t *layer, const int16_t *x, int16_t *y) {
    const aot_sigmoid_s16_t of = *layer; /* a copy, which the writes to y cannot change */
    const int32_t half = half_of(layer);
    const int16_t *next = of.table + 1;
    __asm__("" : "+r"(next));         /* else gcc would compute it for every element */
    int32_t middle = (1 << 24) + 512; /* one half, and half a unit to round */
    __asm__("" : "+r"(middle));
    for (uint32_t i = 0; i < of.elements; i++) {
        const int32_t input = (x[i] * of.multiplier + half) >> of.shift;
        const uint32_t point = (uint32_t)(input < 0 ? -input : input);
        const int32_t positive = point >> 9 >= 255 ? 0x7ffe << 9 : interpolate(of.table, next, point, 9);
        /* The result for -x is 1 minus the result for x; halves are rounded up in both cases. */
        y[i] = (int16_t)(((positive ^ (input >> 31)) + middle) >> 10);
    }
}

void aot_tanh_s16(const aot_sigmoid_s16_t *layer, const int16_t *x, int16_t *y) {
    const aot_sigmoid_s16_t of = *layer; /* a copy, which the writes to y cannot change */
    const int32_t half = half_of(layer);
    const int16_t *next = of.table + 1;
    __asm__("" : "+r"(next)); /* else gcc would compute it for every element */
    for (uint32_t i = 0; i < of.elements; i++) {
        const int32_t input = (x[i] * of.multiplier + half) >> of.shift;
        const uint32_t point = (uint32_t)(input < 0 ? -input : input);
        const int32_t positive = point >> 8 >= 255 ? 0x7fff << 8 : interpolate(of.table, next, point, 8);
        /* tanh x = 2 / (1 + e^-2x) - 1. */
        y[i] = (int16_t)(((positive ^ (input >> 31)) + 128) >> 8);
    }
}

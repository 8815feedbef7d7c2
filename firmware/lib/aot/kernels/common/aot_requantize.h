/*
 * The last step of a packed int8 layer: from a 32-bit sum to a stored output, in few instructions.
 *
 * It computes the same as aot_rescale(). Nothing can overflow, because the compiler checks conditions that almost every
 * layer meets (tflm_hil/compiler/operators/fully_connected.py): the factor is below one half, and |sum| below 2^30.
 */
#ifndef AOT_REQUANTIZE_H
#define AOT_REQUANTIZE_H

#include "aot_fixed.h"

/* A factor below one half: multiplier * 2^(-shift - 32). */
typedef struct {
    int32_t multiplier;
    uint32_t shift; /* 0..30 */
} aot_fraction_t;

/* a * b * 2^-32; halves are rounded up. */
static inline int32_t aot_multiply_high_32(int32_t a, int32_t b) {
#if defined(__ARM_FEATURE_DSP) && __ARM_FEATURE_DSP
    int32_t result;
    __asm__("smmulr %0, %1, %2" : "=r"(result) : "r"(a), "r"(b));
    return result;
#else
    return (int32_t)(((int64_t)a * b + INT64_C(0x80000000)) >> 32);
#endif
}

/*
 * sum * fraction + zero_point, not yet limited to int8; `twice_zero_point_plus_one` is 2 * zero_point + 1. The product
 * is first rounded to an integer (the doubled sum compensates for the 32 bits), then to a multiple of 2^(shift + 1)
 * with halves away from zero: subtract 1 if it is negative, then round halves up by shift, add one, shift by one.
 */
static inline int32_t aot_requantize_doubled(int32_t twice_sum, aot_fraction_t fraction,
                                             int32_t twice_zero_point_plus_one) {
    const int32_t product = aot_multiply_high_32(twice_sum, fraction.multiplier);
    return (((product + (product >> 31)) >> fraction.shift) + twice_zero_point_plus_one) >> 1;
}

static inline int32_t aot_requantize(int32_t sum, aot_fraction_t fraction, int32_t twice_zero_point_plus_one) {
    return aot_requantize_doubled(2 * sum, fraction, twice_zero_point_plus_one);
}

#endif

/* The exponential functions of the softmax and logistic kernels. */
#ifndef AOT_EXP_H
#define AOT_EXP_H

#include <stdint.h>

/*
 * e^x for float32 (0 below the smallest subnormal, infinity beyond the largest number, NaN for NaN), with an error of
 * 0.52 ULP by integers and of 0.57 ULP by floats. They use no C library, so every core computes the same bits as the
 * host.
 */
float aot_exp_by_integers(float x);
float aot_exp_by_floats(float x);

/* The faster one on this core. */
static inline float aot_exp_f32(float x) {
#if defined(__SOFTFP__)
    return aot_exp_by_integers(x);
#else
    return aot_exp_by_floats(x);
#endif
}

/*
 * e^x for x <= 0 as a fixed-point number with 5 integer bits (x = raw * 2^-26); the result has 31 fractional bits
 * (gemmlowp's exp_on_negative_values).
 */
int32_t aot_exp_q26(int32_t x);

/* 1 / (1 + x) for x in [0, 1); both have 31 fractional bits (gemmlowp's one_over_one_plus_x_for_x_in_0_1). */
int32_t aot_one_over_one_plus_x(int32_t x);

#endif

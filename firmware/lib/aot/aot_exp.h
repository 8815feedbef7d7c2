/* The exponential functions of the softmax and logistic kernels. */
#ifndef AOT_EXP_H
#define AOT_EXP_H

#include <stdint.h>

/*
 * e^x for float32, within 0.52 ULP (0 below the smallest subnormal, infinity beyond the largest number, NaN for NaN).
 * Integer arithmetic only: every core and the host compute the same bits, whatever their C library.
 */
float aot_exp_f32(float x);

/*
 * e^x for x <= 0 as a fixed-point number with 5 integer bits (x = raw * 2^-26); the result has 31 fractional bits
 * (gemmlowp's exp_on_negative_values).
 */
int32_t aot_exp_q26(int32_t x);

/* 1 / (1 + x) for x in [0, 1); both have 31 fractional bits (gemmlowp's one_over_one_plus_x_for_x_in_0_1). */
int32_t aot_one_over_one_plus_x(int32_t x);

#endif

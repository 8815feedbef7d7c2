/*
 * The transcendental functions of TFLite's integer kernels in the fixed-point scheme of gemmlowp
 * (https://github.com/google/gemmlowp/blob/master/fixedpoint/fixedpoint.h), with the same constants and roundings.
 */
#include "aot_exp.h"
#include "aot_fixed.h"

/* e^x for x in [-1/4, 0): a Taylor polynomial of degree 4 about -1/8. Argument and result have 31 fractional bits. */
static int32_t exp_of_small(int32_t x) {
    const int32_t exp_of_minus_one_eighth = 1895147668;
    const int32_t one_third = 715827883;
    const int32_t t = x + (1 << 28);
    const int32_t t2 = aot_multiply_high(t, t);
    const int32_t t3 = aot_multiply_high(t2, t);
    const int32_t t4_over_4 = aot_divide_by_power_of_two(aot_multiply_high(t2, t2), 2);
    const int32_t higher_terms = aot_divide_by_power_of_two(aot_multiply_high(t4_over_4 + t3, one_third) + t2, 1);
    return exp_of_minus_one_eighth + aot_multiply_high(exp_of_minus_one_eighth, t + higher_terms);
}

int32_t aot_exp_q26(int32_t x) {
    /* e^(-2^i) for i = -2..4, 31 fractional bits. */
    static const int32_t factors[] = {1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242};
    if (x == 0) {
        return INT32_MAX;
    }
    /* x = small - rest with small in [-1/4, 0) and rest a multiple of 1/4. */
    const int32_t quarter = 1 << 24;
    const int32_t small = (x & (quarter - 1)) - quarter;
    const int32_t rest = small - x;
    int32_t result = exp_of_small(small * (1 << 5));
    for (unsigned i = 0; i < sizeof factors / sizeof factors[0]; i++) {
        if (rest & (quarter << i)) {
            result = aot_multiply_high(result, factors[i]);
        }
    }
    return result;
}

int32_t aot_one_over_one_plus_x(int32_t x) {
    /* Newton's iteration for 2 / (1 + x), from 48/17 - 32/17 * (1 + x) / 2 on; estimates have 29 fractional bits. */
    const int32_t one_q29 = 1 << 29;
    const int32_t half_denominator = (int32_t)(((int64_t)x + INT32_MAX + 1) / 2);
    int32_t estimate = 1515870810 + aot_multiply_high(half_denominator, -1010580540);
    for (int i = 0; i < 3; i++) {
        const int32_t error = one_q29 - aot_multiply_high(half_denominator, estimate);
        estimate += aot_multiply_high(estimate, error) * (1 << 2);
    }
    return aot_saturating_shift_left(estimate, 1);
}

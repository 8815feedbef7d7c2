/*
 * The fixed-point arithmetic of TFLite's integer kernels ("double rounding"), as gemmlowp defines it
 * (https://github.com/google/gemmlowp/blob/master/fixedpoint/fixedpoint.h): all results are equal to the last bit.
 */
#ifndef AOT_FIXED_H
#define AOT_FIXED_H

#include <stdint.h>

/*
 * A real factor in the representation of TFLite: multiplier * 2^(left - right - 31). The multiplier is not negative;
 * both shifts are within 0..31, and at most one of them is not 0.
 */
typedef struct {
    int32_t multiplier;
    uint8_t left;
    uint8_t right;
} aot_scale_t;

/*
 * a * b * 2^-31; halves are rounded up (SaturatingRoundingDoublingHighMul). TFLite adds a signed half and truncates,
 * which gives the same result for every product. It saturates only for a = b = -2^31, which no caller passes.
 */
static inline int32_t aot_multiply_high(int32_t a, int32_t b) {
    return (int32_t)(((int64_t)a * b + (1 << 30)) >> 31);
}

/* x / 2^exponent; halves are rounded away from zero (RoundingDivideByPOT). The exponent is in 0..31. */
static inline int32_t aot_divide_by_power_of_two(int32_t x, unsigned exponent) {
    const int32_t mask = (int32_t)((1u << exponent) - 1u);
    const int32_t threshold = (mask >> 1) + (x < 0);
    return (x >> exponent) + ((x & mask) > threshold);
}

/* x * 2^exponent, saturated to int32 (SaturatingRoundingMultiplyByPOT with a positive exponent). */
static inline int32_t aot_saturating_shift_left(int32_t x, unsigned exponent) {
    const int64_t wide = (int64_t)x * (int64_t)(1u << exponent);
    return wide > INT32_MAX ? INT32_MAX : wide < INT32_MIN ? INT32_MIN : (int32_t)wide;
}

/* x * scale (MultiplyByQuantizedMultiplier). Saturates if TFLite's left shift overflows, which is undefined in C++. */
static inline int32_t aot_rescale(int32_t x, aot_scale_t scale) {
    const int32_t shifted = aot_saturating_shift_left(x, scale.left);
    return aot_divide_by_power_of_two(aot_multiply_high(shifted, scale.multiplier), scale.right);
}

/* x limited to minimum..maximum. */
static inline int32_t aot_clamp(int32_t x, int32_t minimum, int32_t maximum) {
    return x < minimum ? minimum : x > maximum ? maximum : x;
}

/* x + zero_point, limited to minimum..maximum, for any x. */
static inline int8_t aot_store_s8(int32_t x, int32_t zero_point, int32_t minimum, int32_t maximum) {
    return (int8_t)(aot_clamp(x, minimum - zero_point, maximum - zero_point) + zero_point);
}

#endif

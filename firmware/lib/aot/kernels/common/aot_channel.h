/*
 * The last step of a packed convolution: from a 32-bit sum to a stored output, in as few instructions as the arithmetic
 * of aot_fixed.h allows. Nothing can overflow, because the compiler checks the conditions
 * (tflm_hil/compiler/operators/channels.py): the factor is below one half, |sum| below 2^30, the shift at most 22.
 */
#ifndef AOT_CHANNEL_H
#define AOT_CHANNEL_H

#include "aot_fixed.h"

/* An output channel. The factor input scale * weight scale / output scale equals multiplier * 2^(-shift - 32). */
typedef struct {
    int32_t twice_bias; /* including the zero point of the input: bias - zero_point * sum of the channel's weights */
    int32_t multiplier;
    uint16_t shift;  /* 0..22 */
    uint16_t output; /* the index of the channel in the output */
} aot_channel_t;

/* An output channel that does not depend on the input, for instance because its ReLU has died in training. */
typedef struct {
    uint16_t output;
    int16_t value;
} aot_constant_t;

/* Stores `count` constants in an image of `pixels` pixels with `channels` channels each. */
static inline void aot_store_constants(const aot_constant_t *constants, uint32_t count, uint32_t pixels,
                                       uint32_t channels, int8_t *y) {
    for (; count != 0; count--, constants++) {
        int8_t *stored = y + constants->output;
        for (uint32_t pixel = 0; pixel < pixels; pixel++, stored += channels) {
            *stored = (int8_t)constants->value;
        }
    }
}

/* a * b * 2^-32 + c; halves are rounded up. */
static inline int32_t aot_multiply_high_add(int32_t a, int32_t b, int32_t c) {
#if defined(__ARM_FEATURE_DSP) && __ARM_FEATURE_DSP
    int32_t result;
    __asm__("smmlar %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(c));
    return result;
#else
    return (int32_t)(((int64_t)a * b + INT64_C(0x80000000)) >> 32) + c;
#endif
}

/* x limited to the range of int8. */
static inline int32_t aot_saturate_s8(int32_t x) {
#if defined(__ARM_FEATURE_SAT) && __ARM_FEATURE_SAT
    int32_t result;
    __asm__("ssat %0, #8, %1" : "=r"(result) : "r"(x));
    return result;
#else
    return aot_clamp(x, INT8_MIN, INT8_MAX);
#endif
}

/* x / 2, rounded down and limited to the range of int8. */
static inline int32_t aot_saturate_half_s8(int32_t x) {
#if defined(__ARM_FEATURE_SAT) && __ARM_FEATURE_SAT
    int32_t result;
    __asm__("ssat %0, #8, %1, asr #1" : "=r"(result) : "r"(x));
    return result;
#else
    return aot_clamp(x >> 1, INT8_MIN, INT8_MAX);
#endif
}

/*
 * The summand of aot_stored_s8() before its shift by shift + 1: the zero point of the output, and one half to round.
 * Together this is (2 zero_point + 1) * 2^shift.
 */
static inline int32_t aot_channel_offset(const aot_channel_t *channel, int32_t twice_zero_point_plus_one) {
    return twice_zero_point_plus_one * (int32_t)(1u << channel->shift);
}

/*
 * The stored output: sum * factor, rounded to 31 bits and then to an integer with halves away from zero, plus the zero
 * point. To round halves of negative products down, subtract one unit of the product before halves are rounded up. (A
 * negative sum with a product of zero also loses that unit, which does not matter: it is less than a half.)
 */
static inline int32_t aot_stored_s8(int32_t twice_sum, const aot_channel_t *channel, int32_t offset) {
    const int32_t product = aot_multiply_high_add(twice_sum, channel->multiplier, offset + (twice_sum >> 31));
    return aot_saturate_half_s8(product >> channel->shift);
}

#endif

/*
 * The sum of two int8 values of different quantization. TFLM's ADD converts both to a common scale, adds them, converts
 * the sum to the scale of the output, and rounds in each step (reference/integer_ops/add.h).
 *
 * This kernel computes (a * factor + b * factor + constant) / 2^shift with halves rounded away from zero. The compiler
 * uses it if there are constants that give the same result for all 65,536 pairs of stored values
 * (tflm_hil/compiler/arithmetic/sum.py).
 */
#ifndef AOT_SUM_H
#define AOT_SUM_H

#include "aot_channel.h"

/* No sum of these terms, in any order, exceeds 32 bits. */
typedef struct {
    int32_t a, b;     /* scale of the operand / scale of y * 2^(shift + 8); negative for a subtracted operand */
    int32_t constant; /* for the zero points of a and b */
    int32_t rounding; /* (2 * zero point of y + 1) * 2^(shift - 1) */
    uint32_t shift;
} aot_sum_t;

/* to + x * factor / 2^8, rounded down, for x within -128..127. */
static inline int32_t aot_add_weighted(int32_t x, int32_t factor, int32_t to) {
#if defined(__ARM_FEATURE_DSP) && __ARM_FEATURE_DSP
    int32_t result;
    __asm__("smlawb %0, %1, %2, %3" : "=r"(result) : "r"(factor), "r"(x * (1 << 8)), "r"(to));
    return result;
#else
    return to + x * (factor >> 8) + ((x * (factor & 0xff)) >> 8);
#endif
}

/* The stored output for a weighted sum with its constant. */
static inline int32_t aot_stored_sum(int32_t sum, int32_t rounding, uint32_t shift) {
    return aot_saturate_s8((sum + (rounding + (sum >> 31))) >> shift);
}

/* The same for the stored values a and b. */
static inline int32_t aot_sum_s8(int32_t a, int32_t b, const aot_sum_t *of) {
    const int32_t sum = aot_add_weighted(b, of->b, aot_add_weighted(a, of->a, of->constant));
    return aot_stored_sum(sum, of->rounding, of->shift);
}

#endif

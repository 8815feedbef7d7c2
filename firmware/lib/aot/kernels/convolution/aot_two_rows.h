/*
 * Two rows of weights times the columns of two pixels. The columns have been gathered, widened to 16 bits and
 * interleaved, so that the inner loop reads everything in order. aot_dot_s8.h explains how the weights are packed.
 */
#ifndef AOT_TWO_ROWS_H
#define AOT_TWO_ROWS_H

#include "aot_gather.h"

#if defined(__ARM_FEATURE_DSP) && __ARM_FEATURE_DSP

/* One block of two rows: `both` collects 256 sum(x h) + sum(x l), `low` collects sum(x l), for pixels a and b. */
#define BLOCK_OF_TWO_ROWS                                                                                              \
    "ldm     %[x]!, {r3, r4, r5, r6}\n\t"                                                                              \
    "ldm     %[w]!, {r8, r9}\n\t"                                                                                      \
    "smlad   %[both_a], r8, r3, %[both_a]\n\t"                                                                         \
    "smlad   %[both_b], r8, r5, %[both_b]\n\t"                                                                         \
    "sxtb16  r8, r8\n\t"                                                                                               \
    "smlad   %[both_a], r9, r4, %[both_a]\n\t"                                                                         \
    "smlad   %[both_b], r9, r6, %[both_b]\n\t"                                                                         \
    "sxtb16  r9, r9\n\t"                                                                                               \
    "smlad   %[low_a], r8, r3, %[low_a]\n\t"                                                                           \
    "smlad   %[low_b], r8, r5, %[low_b]\n\t"                                                                           \
    "smlad   %[low_a], r9, r4, %[low_a]\n\t"                                                                           \
    "smlad   %[low_b], r9, r6, %[low_b]\n\t"

/* Sets `twice` to twice the sums of the high and the low row, for pixel a, then b. Returns the following weights. */
static inline __attribute__((always_inline)) const int16_t *two_rows(const int16_t *weights, const aot_block_t *columns,
                                                                     uint32_t blocks, int32_t twice[4]) {
    int32_t both_a = 0, both_b = 0, low_a = 0, low_b = 0;
    __asm__ volatile("subs    %[n], %[n], #4\n\t"
                     "blo     2f\n"
                     "1:\n\t" BLOCK_OF_TWO_ROWS BLOCK_OF_TWO_ROWS BLOCK_OF_TWO_ROWS BLOCK_OF_TWO_ROWS
                     "subs    %[n], %[n], #4\n\t"
                     "bhs     1b\n"
                     "2:\n\t"
                     "adds    %[n], %[n], #4\n\t"
                     "beq     4f\n"
                     "3:\n\t" BLOCK_OF_TWO_ROWS "subs    %[n], %[n], #1\n\t"
                     "bne     3b\n"
                     "4:\n"
                     : [w] "+r"(weights), [x] "+r"(columns), [n] "+r"(blocks), [both_a] "+r"(both_a),
                       [both_b] "+r"(both_b), [low_a] "+r"(low_a), [low_b] "+r"(low_b)
                     :
                     : "r3", "r4", "r5", "r6", "r8", "r9", "cc", "memory");
    twice[0] = (both_a - low_a) >> 7;
    twice[1] = 2 * low_a;
    twice[2] = (both_b - low_b) >> 7;
    twice[3] = 2 * low_b;
    return weights;
}

#else

static inline const int16_t *two_rows(const int16_t *weights, const aot_block_t *columns, uint32_t blocks,
                                      int32_t twice[4]) {
    int32_t both_a = 0, both_b = 0, low_a = 0, low_b = 0;
    for (const int16_t *end = weights + 4 * blocks; weights != end; weights += 4, columns++) {
#pragma GCC unroll 4
        for (uint32_t i = 0; i < 4; i++) {
            const int32_t value = weights[i], a = columns->of[0].columns[i], b = columns->of[1].columns[i];
            both_a += value * a;
            both_b += value * b;
            low_a += (int8_t)value * a;
            low_b += (int8_t)value * b;
        }
    }
    twice[0] = (both_a - low_a) >> 7;
    twice[1] = 2 * low_a;
    twice[2] = (both_b - low_b) >> 7;
    twice[3] = 2 * low_b;
    return weights;
}

#endif

#endif

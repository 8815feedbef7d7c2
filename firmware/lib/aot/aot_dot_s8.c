/* Packed int8 dot products; see the header for the layout and for why it works. */
#include "aot_dot_s8.h"

#if defined(__ARM_FEATURE_DSP) && __ARM_FEATURE_DSP

/*
 * x0 = columns 0 and 2, x1 = columns 1 and 3 of the next four inputs. LDR, unlike LDM, takes any alignment, so a row of
 * a batch may start anywhere.
 */
#define LOAD_INPUTS                                                                                                    \
    "ldr     %[x1], [%[x]], #4\n\t"                                                                                    \
    "sxtb16  %[x0], %[x1]\n\t"                                                                                         \
    "sxtb16  %[x1], %[x1], ror #8\n\t"

/* Two rows and four columns: `both` collects 256 sum(x h) + sum(x l), `low` collects sum(x l). */
#define PAIR(w0, w1, both, low)                                                                                        \
    "smlad   %[" both "], " w0 ", %[x0], %[" both "]\n\t"                                                              \
    "sxtb16  " w0 ", " w0 "\n\t"                                                                                       \
    "smlad   %[" both "], " w1 ", %[x1], %[" both "]\n\t"                                                              \
    "sxtb16  " w1 ", " w1 "\n\t"                                                                                       \
    "smlad   %[" low "], " w0 ", %[x0], %[" low "]\n\t"                                                                \
    "smlad   %[" low "], " w1 ", %[x1], %[" low "]\n\t"

#define BLOCK4                                                                                                         \
    LOAD_INPUTS                                                                                                        \
    "ldm     %[w]!, {r8-r11}\n\t" PAIR("r8", "r9", "both0", "low0") PAIR("r10", "r11", "both1", "low1")

#define BLOCK2                                                                                                         \
    LOAD_INPUTS                                                                                                        \
    "ldm     %[w]!, {r8-r9}\n\t" PAIR("r8", "r9", "both0", "low0")

/* `block` for every block: four at a time, which makes the loop's own cost small, then one at a time. */
#define FOR_BLOCKS(block)                                                                                              \
    "subs    %[n], %[n], #4\n\t"                                                                                       \
    "blo     2f\n"                                                                                                     \
    "1:\n\t" block block block block "subs    %[n], %[n], #4\n\t"                                                      \
    "bhs     1b\n"                                                                                                     \
    "2:\n\t"                                                                                                           \
    "adds    %[n], %[n], #4\n\t"                                                                                       \
    "beq     4f\n"                                                                                                     \
    "3:\n\t" block "subs    %[n], %[n], #1\n\t"                                                                        \
    "bne     3b\n"                                                                                                     \
    "4:\n"

void aot_dot4_s8(const int16_t *weights, const int8_t *x, uint32_t blocks, int32_t sums[4]) {
    int32_t both0 = 0, low0 = 0, both1 = 0, low1 = 0;
    uint32_t x0, x1;
    __asm__ volatile(FOR_BLOCKS(BLOCK4)
                     : [w] "+r"(weights), [x] "+r"(x), [n] "+r"(blocks), [both0] "+r"(both0), [low0] "+r"(low0),
                       [both1] "+r"(both1), [low1] "+r"(low1), [x0] "=&r"(x0), [x1] "=&r"(x1)
                     :
                     : "r8", "r9", "r10", "r11", "cc", "memory");
    sums[0] += (both0 - low0) >> 8;
    sums[1] += low0;
    sums[2] += (both1 - low1) >> 8;
    sums[3] += low1;
}

void aot_dot2_s8(const int16_t *weights, const int8_t *x, uint32_t blocks, int32_t sums[2]) {
    int32_t both0 = 0, low0 = 0;
    uint32_t x0, x1;
    __asm__ volatile(FOR_BLOCKS(BLOCK2)
                     : [w] "+r"(weights), [x] "+r"(x), [n] "+r"(blocks), [both0] "+r"(both0), [low0] "+r"(low0),
                       [x0] "=&r"(x0), [x1] "=&r"(x1)
                     :
                     : "r8", "r9", "cc", "memory");
    sums[0] += (both0 - low0) >> 8;
    sums[1] += low0;
}

#else

/* Adds the products of one block and one pair of rows to both = 256 sum(x h) + sum(x l) and to low = sum(x l). */
static inline void add_pair(const int16_t w[4], const int8_t x[4], int32_t *both, int32_t *low) {
    *both += w[0] * x[0] + w[1] * x[2] + w[2] * x[1] + w[3] * x[3];
    *low += (int8_t)w[0] * x[0] + (int8_t)w[1] * x[2] + (int8_t)w[2] * x[1] + (int8_t)w[3] * x[3];
}

void aot_dot4_s8(const int16_t *weights, const int8_t *x, uint32_t blocks, int32_t sums[4]) {
    int32_t both0 = 0, low0 = 0, both1 = 0, low1 = 0;
    for (; blocks != 0; blocks--, weights += 8, x += 4) {
        add_pair(weights, x, &both0, &low0);
        add_pair(weights + 4, x, &both1, &low1);
    }
    sums[0] += (both0 - low0) >> 8;
    sums[1] += low0;
    sums[2] += (both1 - low1) >> 8;
    sums[3] += low1;
}

void aot_dot2_s8(const int16_t *weights, const int8_t *x, uint32_t blocks, int32_t sums[2]) {
    int32_t both0 = 0, low0 = 0;
    for (; blocks != 0; blocks--, weights += 4, x += 4) {
        add_pair(weights, x, &both0, &low0);
    }
    sums[0] += (both0 - low0) >> 8;
    sums[1] += low0;
}

#endif

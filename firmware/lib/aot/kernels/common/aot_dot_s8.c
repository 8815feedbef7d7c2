/* Packed int8 dot products; the header explains the layout and the arithmetic. */
#include "aot_dot_s8.h"

#if defined(__ARM_FEATURE_DSP) && __ARM_FEATURE_DSP

/*
 * Load columns 0 and 2 of the next four inputs to x0, columns 1 and 3 to x1. LDR, unlike LDM, accepts any alignment, so
 * a row of a batch may begin at any address.
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

/* `block` for every block: four per iteration, which makes the loop cheap, then one per iteration. */
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

/* Adds the products of value `weight` of a block, which belongs to its column `column`. */
#define ADD_PRODUCTS(weight, column)                                                                                   \
    value = weights[weight];                                                                                           \
    input = x[column];                                                                                                 \
    both += value * input;                                                                                             \
    low += (int8_t)value * input;

/* One pair of rows, whose blocks are `step` values apart. More pairs at once need more registers than an M0 has. */
static inline __attribute__((always_inline)) void add_pair(const int16_t *weights, uint32_t step, const int8_t *x,
                                                           uint32_t blocks, int32_t sums[2]) {
    int32_t both = 0, low = 0; /* 256 sum(x h) + sum(x l), and sum(x l) */
    for (const int8_t *end = x + 4 * blocks; x != end; x += 4, weights += step) {
        int32_t value, input;
        ADD_PRODUCTS(0, 0)
        ADD_PRODUCTS(1, 2)
        ADD_PRODUCTS(2, 1)
        ADD_PRODUCTS(3, 3)
    }
    sums[0] += (both - low) >> 8;
    sums[1] += low;
}

void aot_dot4_s8(const int16_t *weights, const int8_t *x, uint32_t blocks, int32_t sums[4]) {
    add_pair(weights, 8, x, blocks, sums);
    add_pair(weights + 4, 8, x, blocks, sums + 2);
}

void aot_dot2_s8(const int16_t *weights, const int8_t *x, uint32_t blocks, int32_t sums[2]) {
    add_pair(weights, 4, x, blocks, sums);
}

#endif

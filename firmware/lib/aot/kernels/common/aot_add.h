/*
 * The sum of two int8 values of different quantization, as TFLM computes it (reference/integer_ops/add.h): both are
 * brought to a common scale, twice that of the coarser one divided by 2^20, added, and brought to the output's.
 */
#ifndef AOT_ADD_H
#define AOT_ADD_H

#include "aot_requantize.h"

/*
 * An input: (x - zero_point) * 2^20 * its scale / twice the larger scale. A factor of one half, which is no fraction as
 * aot_fraction_t has it, is one quarter with `left` one more; nothing is lost to rounding then.
 */
typedef struct {
    int32_t zero_point;
    uint32_t left; /* 21 or 22: aot_fraction_t is for doubled numbers */
    aot_fraction_t scale;
} aot_addend_t;

/* The common scale's value of the stored value x; its magnitude is at most 255 * 2^19. */
static inline int32_t aot_addend(int32_t x, const aot_addend_t *addend) {
    /* A multiplication: shifting a negative number to the left is undefined in C. */
    const int32_t twice = (x - addend->zero_point) * (int32_t)(1u << addend->left);
    return aot_requantize_doubled(twice, addend->scale, 1);
}

#endif

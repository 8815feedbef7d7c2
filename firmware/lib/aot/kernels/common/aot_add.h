/*
 * The sum of two int8 values of different quantization, as TFLM computes it (reference/integer_ops/add.h): convert both
 * to a common scale, twice the coarser scale divided by 2^20, add them, and convert the sum to the scale of the output.
 */
#ifndef AOT_ADD_H
#define AOT_ADD_H

#include "aot_requantize.h"

/*
 * An input on the common scale is (x - zero_point) * 2^20 * its scale / twice the larger scale. A factor of one half,
 * which aot_fraction_t cannot represent, is one quarter with `left` one larger; this loses nothing to rounding.
 */
typedef struct {
    int32_t zero_point;
    uint32_t left; /* 21 or 22: aot_fraction_t is for doubled numbers */
    aot_fraction_t scale;
} aot_addend_t;

/* The stored value x on the common scale; the magnitude is at most 255 * 2^19. */
static inline int32_t aot_addend(int32_t x, const aot_addend_t *addend) {
    /* A multiplication, because shifting a negative number to the left is undefined in C. */
    const int32_t twice = (x - addend->zero_point) * (int32_t)(1u << addend->left);
    return aot_requantize_doubled(twice, addend->scale, 1);
}

#endif

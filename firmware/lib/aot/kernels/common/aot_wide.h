/*
 * Helpers for layers on int16 activations: sums of products with int8 weights in 64 bits, and their conversion to
 * outputs, as in TFLM.
 */
#ifndef AOT_WIDE_H
#define AOT_WIDE_H

#include "aot_fixed.h"

/* sum + x[0] * w[0] + ... + x[count - 1] * w[count - 1]. */
static inline int64_t aot_dot_s16(const int16_t *x, const int8_t *w, uint32_t count, int64_t sum) {
    while (count != 0) {
        const uint32_t part = count < 256 ? count : 256; /* this many products fit into 32 bits */
        int32_t products = 0;
        uint32_t left = part;
        for (; left >= 4; left -= 4, x += 4, w += 4) {
            products += x[0] * w[0] + x[1] * w[1] + x[2] * w[2] + x[3] * w[3];
        }
        for (; left != 0; left--) {
            products += *x++ * *w++;
        }
        sum += products;
        count -= part;
    }
    return sum;
}

/*
 * The stored output for a sum that includes its bias. The arithmetic of TFLM depends on the type of the biases: with
 * 32-bit biases (`narrow`), sums are rescaled as in aot_fixed.h; with 64-bit biases or none, the scale is
 * multiplier * 2^-right with a multiplier of 15 bits, and halves are rounded up.
 */
static inline int16_t aot_stored_s16(int64_t sum, aot_scale_t scale, uint32_t narrow, int32_t minimum,
                                     int32_t maximum) {
    const int32_t value = narrow
                              ? aot_rescale((int32_t)(uint32_t)sum, scale)
                              : (int32_t)((sum * scale.multiplier + (INT64_C(1) << (scale.right - 1))) >> scale.right);
    return (int16_t)aot_clamp(value, minimum, maximum);
}

#endif

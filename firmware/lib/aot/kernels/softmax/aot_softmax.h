/* SOFTMAX: y[r][i] = e^(beta x[r][i]) / sum over k of e^(beta x[r][k]). */
#ifndef AOT_SOFTMAX_H
#define AOT_SOFTMAX_H

#include "aot_fixed.h"

/* int8. The output has the scale 1/256 and the zero point -128. */
typedef struct {
    uint32_t rows;
    uint32_t depth;             /* at most 4095, so that the sum of the exponentials fits */
    aot_scale_t scale;          /* beta * input scale * 2^26 */
    int32_t difference_minimum; /* elements further below the maximum of the row count as zero */
} aot_softmax_s8_t;

void aot_softmax_s8(const aot_softmax_s8_t *layer, const int8_t *x, int8_t *y);

/*
 * int16. The output has the scale 2^-15. Tables have 513 entries, between which the kernel interpolates; their
 * arguments and values are 16-bit numbers.
 */
typedef struct {
    uint32_t rows;
    uint32_t depth;
    aot_scale_t scale;         /* from x to units of 10 / 65535 */
    const int16_t *exp;        /* e^x for x from -10 to 0 */
    const int16_t *reciprocal; /* 1 / (1 + x) for x from 0 to 1 */
} aot_softmax_s16_t;

void aot_softmax_s16(const aot_softmax_s16_t *layer, const int16_t *x, int16_t *y);

/* float32. */
typedef struct {
    uint32_t rows;
    uint32_t depth;
    float beta;
} aot_softmax_f32_t;

void aot_softmax_f32(const aot_softmax_f32_t *layer, const float *x, float *y);

#endif

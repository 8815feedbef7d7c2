/*
 * PRELU: y = x if x is not negative, else alpha * x, with broadcasting. The axes describe the loops over x (first) and
 * alpha (second), innermost last; y is written in order. y may be the same buffer as an x of the same size.
 */
#ifndef AOT_PRELU_H
#define AOT_PRELU_H

#include "aot_fixed.h"
#include "aot_nest.h"

typedef struct {
    const aot_axis_t *axes;
    uint32_t axis_count; /* at least 1 */
    int32_t x_zero_point, alpha_zero_point;
    aot_scale_t identity; /* scale of x / scale of y; shifted to the left by at most 14 */
    aot_scale_t slope;    /* scale of x * scale of alpha / scale of y; likewise */
    int32_t zero_point;   /* of y */
} aot_prelu_s8_t;

void aot_prelu_s8(const aot_prelu_s8_t *layer, const int8_t *x, const int8_t *alpha, int8_t *y);

typedef struct {
    const aot_axis_t *axes;
    uint32_t axis_count;
} aot_prelu_f32_t;

void aot_prelu_f32(const aot_prelu_f32_t *layer, const float *x, const float *alpha, float *y);

#endif

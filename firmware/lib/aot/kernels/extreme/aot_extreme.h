/*
 * MAXIMUM, MINIMUM, REDUCE_MAX and REDUCE_MIN. All tensors of a layer have the same quantization, so it does not
 * matter.
 */
#ifndef AOT_EXTREME_H
#define AOT_EXTREME_H

#include "aot_nest.h"

/* MAXIMUM and MINIMUM, element by element; axes as in aot_binary.h. y may be the same buffer as an input. */
typedef struct {
    const aot_axis_t *axes;
    uint32_t axis_count; /* at least 1 */
} aot_extreme_t;

void aot_maximum_s8(const aot_extreme_t *layer, const int8_t *a, const int8_t *b, int8_t *y);
void aot_minimum_s8(const aot_extreme_t *layer, const int8_t *a, const int8_t *b, int8_t *y);
void aot_maximum_f32(const aot_extreme_t *layer, const float *a, const float *b, float *y);
void aot_minimum_f32(const aot_extreme_t *layer, const float *a, const float *b, float *y);

/* REDUCE_MAX and REDUCE_MIN: y is the extreme of x over some of its dimensions; axes as in aot_mean.h. */
typedef struct {
    const aot_axis_t *kept;
    uint32_t kept_count;
    const aot_axis_t *reduced;
    uint32_t reduced_count;
} aot_reduce_t;

void aot_reduce_max_s8(const aot_reduce_t *layer, const int8_t *x, int8_t *y);
void aot_reduce_min_s8(const aot_reduce_t *layer, const int8_t *x, int8_t *y);
void aot_reduce_max_f32(const aot_reduce_t *layer, const float *x, float *y);
void aot_reduce_min_f32(const aot_reduce_t *layer, const float *x, float *y);

#endif

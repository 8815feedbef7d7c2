/*
 * MEAN: y is the average of x over some of its dimensions. Only the first step of each axis, that of x, is used. Sums
 * run through x in the order in which it is stored.
 */
#ifndef AOT_MEAN_H
#define AOT_MEAN_H

#include "aot_fixed.h"
#include "aot_nest.h"

/* int8. */
typedef struct {
    const aot_axis_t *kept; /* the loops over y, at least one */
    uint32_t kept_count;
    const aot_axis_t *reduced; /* the loops over the elements of x that one element of y averages, at least one */
    uint32_t reduced_count;
    int32_t sum_of_zero; /* the zero point of x times the number of averaged elements */
    aot_scale_t scale;   /* scale of x / scale of y / number of elements */
    int32_t zero_point;
} aot_mean_s8_t;

void aot_mean_s8(const aot_mean_s8_t *layer, const int8_t *x, int8_t *y);

/* int16; all zero points are 0. */
typedef struct {
    const aot_axis_t *kept;
    uint32_t kept_count;
    const aot_axis_t *reduced;
    uint32_t reduced_count;
    aot_scale_t scale; /* scale of x / scale of y / number of elements */
} aot_mean_s16_t;

void aot_mean_s16(const aot_mean_s16_t *layer, const int16_t *x, int16_t *y);

/* float32. */
typedef struct {
    const aot_axis_t *kept;
    uint32_t kept_count;
    const aot_axis_t *reduced;
    uint32_t reduced_count;
    float elements; /* the number of elements that one element of y averages */
} aot_mean_f32_t;

void aot_mean_f32(const aot_mean_f32_t *layer, const float *x, float *y);

#endif

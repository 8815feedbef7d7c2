/*
 * ADD, SUB and MUL: y = activation(a op b), with broadcasting. The axes describe the loops over a (first) and b
 * (second), innermost last; y is written in order. y may be the same buffer as an input of the same size.
 */
#ifndef AOT_BINARY_H
#define AOT_BINARY_H

#include "aot_add.h"
#include "aot_nest.h"

/* int8 ADD and SUB. */
typedef struct {
    const aot_axis_t *axes;
    uint32_t axis_count; /* at least 1 */
    aot_addend_t a, b;
    int32_t sign; /* of b: 1 or -1 */
    aot_fraction_t scale;
    int32_t zero_point;
    int32_t minimum, maximum;
} aot_add_s8_t;

void aot_add_s8(const aot_add_s8_t *layer, const int8_t *a, const int8_t *b, int8_t *y);

/* int8 MUL. */
typedef struct {
    const aot_axis_t *axes;
    uint32_t axis_count;
    int32_t a_zero_point, b_zero_point;
    aot_scale_t scale; /* scale of a * scale of b / scale of y */
    int32_t zero_point;
    int32_t minimum, maximum;
} aot_multiply_s8_t;

void aot_multiply_s8(const aot_multiply_s8_t *layer, const int8_t *a, const int8_t *b, int8_t *y);

/* float32 ADD and SUB. */
typedef struct {
    const aot_axis_t *axes;
    uint32_t axis_count;
    float sign; /* of b: 1 or -1 */
    float minimum, maximum;
} aot_add_f32_t;

void aot_add_f32(const aot_add_f32_t *layer, const float *a, const float *b, float *y);

/* float32 MUL. */
typedef struct {
    const aot_axis_t *axes;
    uint32_t axis_count;
    float minimum, maximum;
} aot_multiply_f32_t;

void aot_multiply_f32(const aot_multiply_f32_t *layer, const float *a, const float *b, float *y);

#endif

/*
 * ADD, SUB and MUL: y = activation(a op b), with broadcasting. The axes describe the loops over a (first) and b
 * (second), innermost last; y is written in order. y may be the same buffer as an input of the same size.
 */
#ifndef AOT_BINARY_H
#define AOT_BINARY_H

#include "aot_nest.h"
#include "aot_requantize.h"
#include "aot_sum.h"

/* int8 ADD and SUB. The innermost steps are 0 or 1. */
typedef struct {
    const aot_axis_t *axes;
    uint32_t axis_count; /* at least 1 */
    aot_sum_t sum;
    int32_t minimum, maximum;
} aot_add_s8_t;

void aot_add_s8(const aot_add_s8_t *layer, const int8_t *a, const int8_t *b, int8_t *y);

/*
 * int8 ADD and SUB, for quantizations that aot_sum_t cannot represent exactly: in the same steps as TFLM. `a` is the
 * operand with the coarser scale, whichever is subtracted; `b` goes through a table. The innermost steps are 0 or 1.
 */
typedef struct {
    const aot_axis_t *axes; /* the loops over a (first) and b (second) */
    uint32_t axis_count;
    const int32_t *table; /* by b + 128: twice the value on TFLM's common scale, including a's zero point */
    int32_t factor;       /* of a on the doubled common scale: 2^20, or -2^20 if a is subtracted */
    aot_fraction_t scale;
    int32_t zero_point;
    int32_t minimum, maximum;
} aot_add_s8_tabled_t;

void aot_add_s8_tabled(const aot_add_s8_tabled_t *layer, const int8_t *a, const int8_t *b, int8_t *y);

/*
 * int8 MUL. The factor, scale of a * scale of b / scale of y, equals multiplier * 2^(-shift - 31) and is below one
 * half. The innermost steps are 0 or 1.
 */
typedef struct {
    const aot_axis_t *axes;
    uint32_t axis_count;
    int32_t a_zero_point, b_zero_point;
    int32_t multiplier;
    uint32_t shift;   /* 1..23 */
    int32_t rounding; /* (2 * zero point of y + 1) * 2^(shift - 1) */
    int32_t minimum, maximum;
} aot_multiply_s8_t;

void aot_multiply_s8(const aot_multiply_s8_t *layer, const int8_t *a, const int8_t *b, int8_t *y);

/* int8 MUL, for any factor. */
typedef struct {
    const aot_axis_t *axes;
    uint32_t axis_count;
    int32_t a_zero_point, b_zero_point;
    aot_scale_t scale;
    int32_t zero_point;
    int32_t minimum, maximum;
} aot_multiply_s8_rescaled_t;

void aot_multiply_s8_rescaled(const aot_multiply_s8_rescaled_t *layer, const int8_t *a, const int8_t *b, int8_t *y);

/*
 * int16 ADD and SUB; all zero points are 0. The operands are converted to a common scale, twice the coarser scale
 * divided by 2^15.
 */
#define AOT_S16_LEFT_SHIFT 15

typedef struct {
    const aot_axis_t *axes;
    uint32_t axis_count;
    aot_scale_t a, b; /* scale of the operand / twice the larger scale */
    int32_t sign;     /* of b: 1 or -1 */
    aot_scale_t scale;
    int32_t minimum, maximum;
} aot_add_s16_t;

void aot_add_s16(const aot_add_s16_t *layer, const int16_t *a, const int16_t *b, int16_t *y);

/* int16 MUL; all zero points are 0. */
typedef struct {
    const aot_axis_t *axes;
    uint32_t axis_count;
    aot_scale_t scale; /* scale of a * scale of b / scale of y */
    int32_t minimum, maximum;
} aot_multiply_s16_t;

void aot_multiply_s16(const aot_multiply_s16_t *layer, const int16_t *a, const int16_t *b, int16_t *y);

/* float32. The innermost steps are 0 or 1. */
typedef struct {
    const aot_axis_t *axes;
    uint32_t axis_count;
    float minimum, maximum;
} aot_binary_f32_t;

void aot_add_f32(const aot_binary_f32_t *layer, const float *a, const float *b, float *y);
void aot_subtract_f32(const aot_binary_f32_t *layer, const float *a, const float *b, float *y);
void aot_multiply_f32(const aot_binary_f32_t *layer, const float *a, const float *b, float *y);

#endif

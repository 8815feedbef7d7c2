/* FULLY_CONNECTED: y[b][r] = activation(sum over c of x[b][c] * w[r][c] + bias[r]). */
#ifndef AOT_FULLY_CONNECTED_H
#define AOT_FULLY_CONNECTED_H

#include "aot_requantize.h"
#include "aot_wide.h"

/*
 * int8. The compiler folds the zero point of the input into the bias (bias - zero_point * sum of the row's weights), so
 * the kernels multiply the stored inputs directly.
 *
 * Weights are packed as in aot_dot_s8.h: groups of four rows, then a group of two for the remaining rows (a missing
 * last row is zero); columns are padded to a multiple of four. x must be readable up to that padding.
 */
typedef struct {
    uint32_t batches;
    uint32_t columns; /* inputs of a batch */
    uint32_t rows;    /* outputs of a batch */
    const int16_t *weights;
    const int32_t *bias;         /* by row, including the zero point of the input */
    const aot_fraction_t *scale; /* input scale * weight scale / output scale */
    uint32_t scale_step;         /* 1: one scale per row; 0: one scale for all */
    int32_t zero_point;          /* of the output */
    int32_t minimum, maximum;    /* of the stored output */
} aot_fully_connected_s8_t;

void aot_fully_connected_s8(const aot_fully_connected_s8_t *layer, const int8_t *x, int8_t *y);

/* int8, for the rare layers that cannot be packed: any scale, and weights [rows][columns] as in the .tflite. */
typedef struct {
    uint32_t batches;
    uint32_t columns;
    uint32_t rows;
    const int8_t *weights;
    const int32_t *bias;
    const aot_scale_t *scale;
    uint32_t scale_step;
    int32_t zero_point;
    int32_t minimum, maximum;
} aot_fully_connected_s8_unpacked_t;

void aot_fully_connected_s8_unpacked(const aot_fully_connected_s8_unpacked_t *layer, const int8_t *x, int8_t *y);

/* int16 with int8 weights. All zero points are 0. */
typedef struct {
    uint32_t batches;
    uint32_t columns;
    uint32_t rows;
    const int8_t *weights;    /* [rows][columns] */
    const int64_t *bias;      /* of each output */
    const aot_scale_t *scale; /* input scale * weight scale / output scale; see aot_wide.h */
    uint32_t scale_step;      /* 1: one scale per output; 0: one scale for all */
    uint32_t narrow;          /* 1: biases of 32 bits */
    int32_t minimum, maximum; /* of the stored output */
} aot_fully_connected_s16_t;

void aot_fully_connected_s16(const aot_fully_connected_s16_t *layer, const int16_t *x, int16_t *y);

/*
 * float32. Sums run over the columns in order, and products are rounded before they are added, as in the reference
 * kernel of TFLM, so the results are equal to the last bit.
 */
typedef struct {
    uint32_t batches;
    uint32_t columns;
    uint32_t rows;
    const float *weights;   /* rows in fours, a pair, a last one, each [column][row] */
    const float *bias;      /* by row */
    float minimum, maximum; /* of the output */
} aot_fully_connected_f32_t;

void aot_fully_connected_f32(const aot_fully_connected_f32_t *layer, const float *x, float *y);

#endif

/*
 * CONV_2D and DEPTHWISE_CONV_2D: y[i][j][o] = activation(bias[o] + sum of x[i s + k d][j s + l d][c] * w[o][k][l][c])
 * over rows k, columns l and channels c, with the stride s and the dilation d of each dimension. Taps outside the image
 * do not count.
 */
#ifndef AOT_CONV_H
#define AOT_CONV_H

#include "aot_add.h"
#include "aot_channel.h"
#include "aot_wide.h"
#include "aot_window.h"

/* An ADD that follows a convolution; `skip` is its other input. */
typedef struct {
    aot_addend_t skip, conv;
    aot_fraction_t scale;
    int32_t zero_point;       /* of the sum */
    int32_t minimum, maximum; /* of the stored sum */
} aot_residual_t;

/*
 * CONV_2D on int8. The weights of an output channel are a row. A row consists of runs of taps that are contiguous in
 * the image (a row of the kernel, or a single tap if it is dilated), each padded with zeros to a multiple of four.
 * Pairs of rows are packed as in aot_dot_s8.h; a missing last row is zero. x must be readable up to three bytes beyond
 * its end. The scratch memory has 16 bytes per block.
 *
 * Two pixels at a time are read in order and then written, so y may overlap the part of x that has been read. If the
 * kernel has one tap, its inputs are read block by block, so the scratch memory may overlap too. The compiler computes
 * how far.
 */
typedef struct {
    aot_window_t window;
    uint32_t run_taps;             /* kernel columns in a run */
    uint32_t blocks;               /* blocks of four columns in a row */
    uint32_t rows;                 /* output channels that are computed */
    const int16_t *weights;        /* by pair of rows and block */
    const aot_channel_t *channels; /* by row */
    uint32_t constant_count;       /* output channels that are constant */
    const aot_constant_t *constants;
    int8_t input_zero_point;
    int8_t zero_point;       /* of the output */
    int8_t minimum, maximum; /* of the stored output */
    const aot_residual_t *residual;
} aot_conv_s8_t;

void aot_conv_s8(const aot_conv_s8_t *layer, const int8_t *x, int8_t *y, void *scratch);

/*
 * The same, followed by y = residual(skip, convolution) with equal shapes. y may be the same buffer as skip, and the
 * image in between needs no memory. The convolution itself is limited only to int8.
 */
void aot_conv_add_s8(const aot_conv_s8_t *layer, const int8_t *skip, const int8_t *x, int8_t *y, void *scratch);

/*
 * int8, for any weights, scales and number of groups. The `group_outputs` outputs of a group see only the
 * `group_inputs` input channels of that group. A depthwise convolution has a group for every input channel.
 */
typedef struct {
    aot_window_t window;
    uint32_t group_inputs, group_outputs;
    const int8_t *weights;    /* [output channel][kernel row][kernel column][group_inputs] */
    const int32_t *bias;      /* of each output channel */
    const aot_scale_t *scale; /* input scale * weight scale / output scale */
    uint32_t scale_step;      /* 1: one scale per output channel; 0: one scale for all */
    int32_t input_zero_point;
    int32_t zero_point;       /* of the output */
    int32_t minimum, maximum; /* of the stored output */
} aot_conv_s8_unpacked_t;

void aot_conv_s8_unpacked(const aot_conv_s8_unpacked_t *layer, const int8_t *x, int8_t *y);

/* int16 with int8 weights, grouped as above. All zero points are 0. */
typedef struct {
    aot_window_t window;
    uint32_t group_inputs, group_outputs;
    const int8_t *weights;    /* [output channel][kernel row][kernel column][group_inputs] */
    const int64_t *bias;      /* of each output */
    const aot_scale_t *scale; /* input scale * weight scale / output scale; see aot_wide.h */
    uint32_t scale_step;      /* 1: one scale per output; 0: one scale for all */
    uint32_t narrow;          /* 1: biases of 32 bits */
    int32_t minimum, maximum; /* of the stored output */
} aot_conv_s16_t;

void aot_conv_s16(const aot_conv_s16_t *layer, const int16_t *x, int16_t *y);

/*
 * float32, grouped as above. Sums run over kernel rows, columns and channels in order, and products are rounded before
 * they are added, as in the reference kernel of TFLM, so the results are equal to the last bit.
 */
typedef struct {
    aot_window_t window;
    uint32_t group_inputs, group_outputs;
    const float *weights; /* per group: outputs in fours, a pair, one; each [kernel row][column][input][output] */
    const float *bias;    /* of each output channel */
    float minimum, maximum;
} aot_conv_f32_t;

void aot_conv_f32(const aot_conv_f32_t *layer, const float *x, float *y);

/*
 * A column of the kernel is inside the image for `count` pixels of an output row. The first of these is at element
 * `output` of that row and sees pixel `input` of the image row.
 */
typedef struct {
    uint32_t count, output, input;
} aot_column_t;

/*
 * The same for one input channel: tap by tap over a whole row of the output, then the next row. With so few numbers in
 * a window, it would not pay to set up each pixel.
 */
typedef struct {
    aot_window_t window;
    const aot_column_t *columns; /* of the kernel */
    const float *weights;        /* as above, for one group */
    const float *bias;
    float minimum, maximum;
} aot_conv_f32_by_taps_t;

void aot_conv_f32_by_taps(const aot_conv_f32_by_taps_t *layer, const float *x, float *y);

#endif

/*
 * CONV_2D and DEPTHWISE_CONV_2D: y[i][j][o] = activation(bias[o] + sum of x[i s + k d][j s + l d][c] * w[o][k][l][c])
 * over rows k, columns l and channels c, with the stride s and the dilation d of either dimension. What lies outside
 * the image does not count.
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
 * CONV_2D on int8. The weights of an output channel are a row: the kernel's taps in runs that lie together in the image
 * (a row of the kernel, or a single tap where the dilation parts them), each run padded with zeros to a multiple of
 * four. Pairs of rows are packed as aot_dot_s8.h says; a missing last row is zero. x must be readable up to three bytes
 * beyond its end. The scratch memory takes 16 bytes a block.
 *
 * Two pixels at a time, in order, are read and then written, so that y may lie over what has been read of x; and so may
 * the scratch memory of a kernel of one tap, whose inputs are read block by block. The compiler works out how far.
 */
typedef struct {
    aot_window_t window;
    uint32_t run_taps;             /* kernel columns in a run */
    uint32_t blocks;               /* of four columns, in a row */
    uint32_t rows;                 /* output channels that are computed */
    const int16_t *weights;        /* by pair of rows and block */
    const aot_channel_t *channels; /* by row */
    uint32_t constant_count;       /* output channels that are not computed */
    const aot_constant_t *constants;
    int8_t input_zero_point;
    int8_t zero_point;       /* of the output */
    int8_t minimum, maximum; /* of the stored output */
    const aot_residual_t *residual;
} aot_conv_s8_t;

void aot_conv_s8(const aot_conv_s8_t *layer, const int8_t *x, int8_t *y, void *scratch);

/*
 * The same and then y = residual(skip, convolution), of equal shapes. y may be the same buffer as skip, and the image
 * in between takes no memory. The convolution as such has no limits but those of int8.
 */
void aot_conv_add_s8(const aot_conv_s8_t *layer, const int8_t *skip, const int8_t *x, int8_t *y, void *scratch);

/*
 * int8, for any weights and scales and any number of groups: each `group_outputs` outputs see `group_inputs` channels
 * of their own. A depthwise convolution is one with a group for every input channel.
 */
typedef struct {
    aot_window_t window;
    uint32_t group_inputs, group_outputs;
    const int8_t *weights;    /* [output channel][kernel row][kernel column][group_inputs] */
    const int32_t *bias;      /* of each output channel */
    const aot_scale_t *scale; /* input scale * weight scale / output scale */
    uint32_t scale_step;      /* 1: a scale for each output channel; 0: one for all */
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
    uint32_t scale_step;      /* 1: a scale for each output; 0: one for all */
    uint32_t narrow;          /* 1: 32-bit biases */
    int32_t minimum, maximum; /* of the stored output */
} aot_conv_s16_t;

void aot_conv_s16(const aot_conv_s16_t *layer, const int16_t *x, int16_t *y);

/*
 * float32, grouped as above. Sums run over kernel rows, columns and channels in order and products are rounded before
 * they are added, as in TFLM's reference kernel, so the results are the same to the last bit.
 */
typedef struct {
    aot_window_t window;
    uint32_t group_inputs, group_outputs;
    const float *weights; /* by group: outputs by four, by two, a last one, each [kernel row][column][input][output] */
    const float *bias;    /* of each output channel */
    float minimum, maximum;
} aot_conv_f32_t;

void aot_conv_f32(const aot_conv_f32_t *layer, const float *x, float *y);

/*
 * Where a column of the kernel meets a row of the image: `count` pixels of the output's row see it. The first of them
 * is at `output` in that row, in elements, and sees the pixel `input` of the image's row.
 */
typedef struct {
    uint32_t count, output, input;
} aot_column_t;

/*
 * The same of one input channel: tap by tap over a row of the output, which is written whole before the next one is
 * begun. A window of so few numbers is not worth setting up for each pixel.
 */
typedef struct {
    aot_window_t window;
    const aot_column_t *columns; /* of the kernel */
    const float *weights;        /* as above, of one group */
    const float *bias;
    float minimum, maximum;
} aot_conv_f32_by_taps_t;

void aot_conv_f32_by_taps(const aot_conv_f32_by_taps_t *layer, const float *x, float *y);

#endif

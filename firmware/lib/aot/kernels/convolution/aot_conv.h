/*
 * CONV_2D and DEPTHWISE_CONV_2D: y[i][j][o] = activation(bias[o] + sum of x[i s + k d][j s + l d][c] * w[o][k][l][c])
 * over rows k, columns l and channels c, with the stride s and the dilation d of each dimension. Taps outside the image
 * do not count.
 */
#ifndef AOT_CONV_H
#define AOT_CONV_H

#include "aot_add.h"
#include "aot_channel.h"
#include "aot_tiles.h"
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
 * int8, if a window has few inputs. `group` neighbouring pixels are computed at once, so that they have a multiple of
 * four outputs. A row of what their windows cover is a run of contiguous inputs, or, if it is the only row and long,
 * several runs: one input if `single` is 1, then blocks of four. What a run covers beyond the windows, up to three
 * inputs or the rest of the last run, has weights of zero, but must be readable.
 *
 * The coefficients of four outputs are, all in words: twice the bias of each; for each run in order the weights,
 * doubled, in pairs of 16 bits with the first in the low half; for each output its multiplier, offset and shift, see
 * aot_channel.h. A single input has two words of weights, for outputs 0 and 1, 2 and 3. A block has eight: for each
 * output the weights of inputs 0 and 2, then for each output those of inputs 1 and 3. Bit 31 of the shift is set for
 * the last output of a group. The multiplier of an output that never changes is 0.
 */
typedef struct {
    uint32_t y_step;    /* from the end of a group's outputs to those of the next group */
    uint32_t x_step;    /* from a group's window to the next one */
    uint32_t runs_span; /* from a window to where another run would follow; 0 if there is only one */
    int32_t run_step;   /* from the end of a run to the next one */
    const int32_t *coefficients;
    uint32_t blocks, single; /* in a run; at most four blocks */
    uint32_t relu;           /* 1: raises sums to 0 */
    aot_tiles_t tiles;       /* without padding the whole image is one tile */
    uint16_t group;
    aot_window_t window;
    int8_t input_zero_point;
    int8_t minimum, maximum; /* of the stored output, after sums are raised */
} aot_conv_s8_small_t;

/* The same if each window is inside the image. Reads and writes group by group. */
void aot_conv_s8_small(const aot_conv_s8_small_t *layer, const int8_t *x, int8_t *y);

/* Copies a tile of the image at a time to the scratch memory, with padding around it, and then writes its outputs. */
void aot_conv_s8_small_padded(const aot_conv_s8_small_t *layer, const int8_t *x, int8_t *y, void *scratch);

/*
 * The same for a kernel and an image of one row, with dilation and a stride of 1. A tile has a row for each of so many
 * neighbouring pixels, with those that its dilation reaches from there.
 */
void aot_conv_s8_small_dilated(const aot_conv_s8_small_t *layer, const int8_t *x, int8_t *y, void *scratch);

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
 * The same for one input channel. With so few numbers in a window, it would not pay to set up each
 * pixel.
 *
 * Output channels are computed in fours, then a pair and a single one as needed. The coefficients of such a part are
 * the bias of each channel, then for each kernel row and column the weight of each channel. With a pair, a tile is at
 * least two outputs wide, with a single channel at least four, and with either there is no dilation along its rows.
 */
typedef struct {
    aot_window_t window;
    aot_tiles_t tiles; /* without padding the whole image is one tile */
    const float *coefficients;
    float minimum, maximum;
    float most; /* of the sum of four outputs, not below the minimum, of which none is then above the maximum */
} aot_conv_f32_small_t;

/* If each window is inside the image. Reads the windows of a row before and while it writes the row. */
void aot_conv_f32_small(const aot_conv_f32_small_t *layer, const float *x, float *y);

/* Copies a tile of the image at a time to the scratch memory, with zeros around it, and then writes its outputs. */
void aot_conv_f32_small_padded(const aot_conv_f32_small_t *layer, const float *x, float *y, void *scratch);

#endif

/*
 * DEPTHWISE_CONV_2D: y[i][j][o] = activation(bias[o] + sum over rows k, columns l of
 * x[i s + k d][j s + l d][o / multiplier] * w[o][k][l]), with the stride s and the dilation d of each dimension. Taps
 * outside the image do not count.
 */
#ifndef AOT_DEPTHWISE_H
#define AOT_DEPTHWISE_H

#include "aot_channel.h"
#include "aot_window.h"

/*
 * int8, without dilation.
 *
 * One channel of the image at a time is copied to the scratch memory as a plane with padding around it, so that one
 * load fetches four neighbours. The plane is the area that all windows cover, plane_height rows of plane_width; the
 * scratch memory needs three more bytes. y may be the same buffer as x if the shapes are equal.
 */
typedef struct {
    aot_window_t window;
    uint16_t plane_height, plane_width;
    uint16_t kernel_rows;          /* rows of the stored kernel */
    uint16_t row_blocks;           /* blocks of four weights in a row of the kernel */
    uint16_t multiplier;           /* output channels per input channel */
    uint16_t rows;                 /* output channels that are computed */
    const int8_t *weights;         /* by row: [kernel row][4 * row_blocks], zero beyond the kernel */
    const aot_channel_t *channels; /* by row */
    uint32_t constant_count;       /* output channels that are constant */
    const aot_constant_t *constants;
    int8_t input_zero_point;
    int8_t zero_point;       /* of the output */
    int8_t minimum, maximum; /* of the stored output */
} aot_depthwise_s8_t;

void aot_depthwise_s8(const aot_depthwise_s8_t *layer, const int8_t *x, int8_t *y, void *scratch);

/*
 * Faster, for kernels of 3 x 3 (the compiler fills smaller ones with zeros), strides of 1 or 2 along the width, and at
 * least two outputs in a row.
 */
void aot_depthwise_s8_3x3(const aot_depthwise_s8_t *layer, const int8_t *x, int8_t *y, void *scratch);

/* The same if no output is below the zero point, or that is -128. */
void aot_depthwise_s8_3x3_relu(const aot_depthwise_s8_t *layer, const int8_t *x, int8_t *y, void *scratch);

/*
 * float32. Sums run over kernel rows and columns in order, and products are rounded before they are added, as in the
 * reference kernel of TFLM, so the results are equal to the last bit.
 *
 * Input channels form groups of four; of the rest, a pair and a single channel. For each group and each of the
 * `multiplier` outputs, `weights` has [kernel row][kernel column][channel of the group] and `bias` has [channel of the
 * group].
 */
typedef struct {
    aot_window_t window;
    uint32_t multiplier; /* output channels per input channel */
    const float *weights;
    const float *bias;
    float minimum, maximum;
} aot_depthwise_f32_t;

void aot_depthwise_f32(const aot_depthwise_f32_t *layer, const float *x, float *y);

#endif

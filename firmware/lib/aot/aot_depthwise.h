/*
 * DEPTHWISE_CONV_2D without dilation on int8: y[i][j][o] = activation(bias[o] + sum over rows k, columns l of
 * x[i s + k][j s + l][o / multiplier] * w[o][k][l]), with the stride s of either dimension. What lies outside the image
 * does not count.
 */
#ifndef AOT_DEPTHWISE_H
#define AOT_DEPTHWISE_H

#include "aot_channel.h"
#include "aot_window.h"

/*
 * Kernels of up to 3 x 3 are the fast ones; the compiler fills them up to that size with zeros.
 *
 * One channel of the image at a time is copied to the scratch memory, as a plane with the padding around it: from
 * there, one load fetches four neighbours. The plane is what all windows together see, plane_height rows of
 * plane_width; the scratch memory takes three bytes more. y may be the same buffer as x where the shape is the same.
 */
typedef struct {
    aot_window_t window;
    uint16_t plane_height, plane_width;
    uint16_t kernel_rows;          /* of the kernel as it is stored */
    uint16_t row_blocks;           /* of four weights, in a row of the kernel */
    uint16_t multiplier;           /* output channels for each input channel */
    uint16_t rows;                 /* output channels that are computed */
    const int8_t *weights;         /* by row: [kernel row][4 * row_blocks], zero beyond the kernel */
    const aot_channel_t *channels; /* by row */
    uint32_t constant_count;       /* output channels that are not computed */
    const aot_constant_t *constants;
    int8_t input_zero_point;
    int8_t zero_point;       /* of the output */
    int8_t minimum, maximum; /* of the stored output */
} aot_depthwise_s8_t;

void aot_depthwise_s8(const aot_depthwise_s8_t *layer, const int8_t *x, int8_t *y, void *scratch);

#endif

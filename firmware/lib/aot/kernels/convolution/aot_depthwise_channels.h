/* What the int8 depthwise kernels share: everything around the loop over the outputs of a channel. */
#ifndef AOT_DEPTHWISE_CHANNELS_H
#define AOT_DEPTHWISE_CHANNELS_H

#include "aot_depthwise.h"
#include "aot_limit.h"
#include "aot_words.h"

/* Computes all outputs of one channel from its weights and from the plane of its input channel. `y` is the first. */
typedef void aot_convolve_t(const aot_depthwise_s8_t *layer, const int8_t *weights, const aot_channel_t *channel,
                            const int8_t *plane, int8_t *y, void *state);

/* Copies one channel of the image into the plane; x points to that channel of the first pixel. */
void aot_copy_channel(const aot_depthwise_s8_t *layer, const int8_t *x, int8_t *plane);

/* All channels, then limits the outputs to minimum..layer->maximum. `state` is for `convolve`. */
static inline __attribute__((always_inline)) void aot_depthwise_channels(const aot_depthwise_s8_t *layer,
                                                                         const int8_t *x, int8_t *y, int8_t *plane,
                                                                         aot_convolve_t *convolve, void *state,
                                                                         int32_t minimum) {
    const aot_window_t *window = &layer->window;
    const uint32_t pixels = (uint32_t)window->output_height * window->output_width;
    aot_fill_words(plane, layer->input_zero_point, (uint32_t)layer->plane_height * layer->plane_width);
    const int8_t *weights = layer->weights;
    uint32_t copied = UINT32_MAX;
    const uint32_t kernel = 4u * layer->kernel_rows * layer->row_blocks;
    for (uint32_t row = 0; row < layer->rows; row++, weights += kernel) {
        const aot_channel_t *channel = layer->channels + row;
        if (channel->output / layer->multiplier != copied) {
            copied = channel->output / layer->multiplier;
            aot_copy_channel(layer, x + copied, plane);
        }
        convolve(layer, weights, channel, plane, y + channel->output, state);
    }
    aot_store_constants(layer->constants, layer->constant_count, pixels, window->output_channels, y);
    aot_limit_s8(y, pixels * window->output_channels, minimum, layer->maximum);
}

#endif

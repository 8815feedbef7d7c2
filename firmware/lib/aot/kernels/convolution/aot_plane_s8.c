/* See aot_depthwise_channels.h. */
#pragma GCC optimize("O2") /* because it runs for every channel */
#include "aot_depthwise_channels.h"
#include "aot_words.h"

/* Copies `count` values that are `step` values apart. */
static inline void copy_apart(int8_t *to, const int8_t *from, uint32_t step, uint32_t count) {
    for (; count >= 4; count -= 4, from += 4 * step, to += 4) {
        to[0] = from[0];
        to[1] = from[step];
        to[2] = from[2 * step];
        to[3] = from[3 * step];
    }
    for (; count != 0; count--, from += step) {
        *to++ = *from;
    }
}

void aot_copy_channel(const aot_depthwise_s8_t *layer, const int8_t *x, int8_t *plane) {
    const aot_window_t *window = &layer->window;
    const uint32_t channels = window->input_channels, pitch = window->input_width * channels;
    const uint32_t plane_width = layer->plane_width;
    const uint32_t height = window->input_height < layer->plane_height - window->pad_top
                                ? window->input_height
                                : (uint32_t)layer->plane_height - window->pad_top;
    const uint32_t width =
        window->input_width < plane_width - window->pad_left ? window->input_width : plane_width - window->pad_left;
    plane += window->pad_top * plane_width + window->pad_left;
    if (channels == 1) {
        aot_copy_rows(plane, plane_width, x, pitch, height, width);
        return;
    }
    for (uint32_t left = height; left != 0; left--, x += pitch, plane += plane_width) {
        copy_apart(plane, x, channels, width);
    }
}

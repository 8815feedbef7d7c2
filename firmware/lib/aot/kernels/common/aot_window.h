/* The part of an image that a sliding window covers. Images are stored as [row][column][channel]. */
#ifndef AOT_WINDOW_H
#define AOT_WINDOW_H

#include <stdint.h>

/* All in elements. `pad_top` rows before the image and `pad_left` columns before it count as zero. */
typedef struct {
    uint16_t input_height, input_width, input_channels;
    uint16_t output_height, output_width, output_channels;
    uint16_t kernel_height, kernel_width;
    uint16_t stride_height, stride_width;
    uint16_t dilation_height, dilation_width;
    uint16_t pad_top, pad_left;
} aot_window_t;

/* Along one dimension, taps first..end-1 of a window are inside the image; tap k is at origin + k * dilation. */
typedef struct {
    int32_t origin;
    int32_t first, end;
} aot_taps_t;

static inline aot_taps_t aot_taps(int32_t origin, int32_t dilation, int32_t kernel, int32_t size) {
    const int32_t first = origin < 0 ? (-origin + dilation - 1) / dilation : 0;
    const int32_t end = (size - origin + dilation - 1) / dilation;
    return (aot_taps_t){origin, first, end < kernel ? end : kernel};
}

/* The number of taps inside the image; dilation may leave none. */
static inline uint32_t aot_tap_count(aot_taps_t taps) {
    return taps.end > taps.first ? (uint32_t)(taps.end - taps.first) : 0;
}

/* The taps for row `position` of the output; aot_column_taps() returns those for a column. */
static inline aot_taps_t aot_row_taps(const aot_window_t *window, int32_t position) {
    return aot_taps(position * window->stride_height - window->pad_top, window->dilation_height, window->kernel_height,
                    window->input_height);
}

static inline aot_taps_t aot_column_taps(const aot_window_t *window, int32_t position) {
    return aot_taps(position * window->stride_width - window->pad_left, window->dilation_width, window->kernel_width,
                    window->input_width);
}

/* The number of output pixels in the row, from the one with `columns` on, that cover the same number of columns. */
static inline int32_t aot_alike(const aot_window_t *window, aot_taps_t columns) {
    if (aot_tap_count(columns) != window->kernel_width) {
        return 1;
    }
    const int32_t last = columns.origin + (window->kernel_width - 1) * window->dilation_width;
    return (window->input_width - 1 - last) / window->stride_width + 1;
}

#endif

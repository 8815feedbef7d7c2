/* DEPTHWISE_CONV_2D on float32, with additions and roundings in the order of TFLM. */
#include "aot_depthwise.h"
#include "aot_dot_f32.h"
#include "aot_float.h"

/* The part of the image that the window of an output pixel covers, in elements of one channel. */
typedef struct {
    uint32_t rows, columns;
    uint32_t step;                    /* from column to column */
    int32_t row_skip;                 /* from the end of a row to the next one */
    uint32_t first_tap, skipped_taps; /* taps before the first one inside, and between rows */
} seen_t;

/* A row of taps of `lanes` contiguous channels; advances both pointers. */
AOT_INLINE void row_of(uint32_t lanes, const seen_t *seen, const float **weights, const float **x,
                       aot_sums_f32_t *sums) {
    if (lanes == 4) {
        aot_taps_of_4(weights, x, seen->columns, seen->step, sums);
    } else if (lanes == 2) {
        aot_taps_of_2(weights, x, seen->columns, seen->step, sums);
    } else {
        aot_taps_of_1(weights, x, seen->columns, seen->step, sums);
    }
}

/* The outputs of one pixel, one for each of `lanes` channels, at distances of `multiplier`. */
AOT_INLINE void outputs_of(uint32_t lanes, const aot_depthwise_f32_t *layer, const seen_t *seen, const float *x,
                           const float *weights, const float *bias, float *y) {
    aot_sums_f32_t sums = {0};
    weights += seen->first_tap * lanes;
    for (uint32_t row = seen->rows; row != 0; row--) {
        row_of(lanes, seen, &weights, &x, &sums);
        x += seen->row_skip;
        weights += seen->skipped_taps * lanes;
    }
    const uint32_t step = layer->multiplier;
    *y = aot_limit(sums.a + bias[0], layer->minimum, layer->maximum);
    if (lanes > 1) {
        y += step;
        *y = aot_limit(sums.b + bias[1], layer->minimum, layer->maximum);
    }
    if (lanes > 2) {
        y += step;
        *y = aot_limit(sums.c + bias[2], layer->minimum, layer->maximum);
        y += step;
        *y = aot_limit(sums.d + bias[3], layer->minimum, layer->maximum);
    }
}

/* All outputs of `lanes` channels; `weights` and `bias` are those of the first output. */
AOT_INLINE void channels_of(uint32_t lanes, const aot_depthwise_f32_t *layer, const seen_t *seen, const float *x,
                            const float **weights, const float **bias, float *y) {
    const uint32_t taps = (uint32_t)layer->window.kernel_height * layer->window.kernel_width;
    for (uint32_t output = 0; output < layer->multiplier; output++) {
        outputs_of(lanes, layer, seen, x, *weights, *bias, y + output);
        *weights += lanes * taps;
        *bias += lanes;
    }
}

void aot_depthwise_f32(const aot_depthwise_f32_t *layer, const float *x, float *y) {
    const aot_window_t *window = &layer->window;
    const uint32_t channels = window->input_channels;
    const uint32_t row_step = window->dilation_height * window->input_width * channels;
    seen_t seen = {.step = window->dilation_width * channels};
    for (int32_t i = 0; i < window->output_height; i++) {
        const aot_taps_t rows = aot_row_taps(window, i);
        const int32_t row = rows.origin + rows.first * window->dilation_height;
        for (int32_t j = 0; j < window->output_width; j++) {
            const aot_taps_t columns = aot_column_taps(window, j);
            const int32_t column = columns.origin + columns.first * window->dilation_width;
            seen.columns = aot_tap_count(columns);
            seen.rows = seen.columns != 0 ? aot_tap_count(rows) : 0;
            seen.row_skip = (int32_t)(row_step - seen.columns * seen.step);
            seen.first_tap = (uint32_t)(rows.first * window->kernel_width + columns.first);
            seen.skipped_taps = window->kernel_width - seen.columns;
            const float *channel = x + (row * window->input_width + column) * (int32_t)channels;
            const float *weights = layer->weights, *bias = layer->bias;
            uint32_t left = channels;
            for (; left >= 4; left -= 4, channel += 4, y += 4 * layer->multiplier) {
                channels_of(4, layer, &seen, channel, &weights, &bias, y);
            }
            if (left >= 2) {
                channels_of(2, layer, &seen, channel, &weights, &bias, y);
                left -= 2, channel += 2, y += 2 * layer->multiplier;
            }
            if (left != 0) {
                channels_of(1, layer, &seen, channel, &weights, &bias, y);
                y += layer->multiplier;
            }
        }
    }
}

/* CONV_2D on float32, with additions and roundings in the order of TFLM. */
#include "aot_conv.h"
#include "aot_dot_f32.h"
#include "aot_float.h"

/*
 * The part of the image that the window of an output pixel covers: `rows` rows of `runs` runs, each of `run` contiguous
 * elements. `skip` and `row_skip` lead from the end of a run or row to the next one; those of the weights are in taps.
 */
typedef struct {
    uint32_t rows, runs, run;
    int32_t skip, row_skip;
    uint32_t first_tap, skipped_taps; /* taps before the first one inside, and between rows */
    uint32_t taps;                    /* all weights of an output */
} seen_t;

AOT_INLINE seen_t see(const aot_conv_f32_t *layer, aot_taps_t rows, aot_taps_t columns) {
    const aot_window_t *window = &layer->window;
    const uint32_t inputs = layer->group_inputs;
    const int32_t channels = window->input_channels;
    const uint32_t taps = aot_tap_count(columns);
    const int32_t row_step = window->dilation_height * window->input_width * channels;
    seen_t seen = {
        .rows = aot_tap_count(rows),
        .taps = (uint32_t)window->kernel_height * window->kernel_width * inputs,
        .first_tap = (uint32_t)(rows.first * window->kernel_width + columns.first) * inputs,
        .skipped_taps = (window->kernel_width - taps) * inputs,
    };
    if (window->dilation_width == 1 && inputs == window->input_channels) {
        seen.runs = 1;
        seen.run = taps * inputs;
    } else {
        seen.runs = taps;
        seen.run = inputs;
        seen.skip = window->dilation_width * channels - (int32_t)inputs;
    }
    seen.row_skip = row_step - (int32_t)(seen.runs * seen.run) - (int32_t)seen.runs * seen.skip;
    return seen;
}

/* `lanes` outputs of one pixel; `lanes` is a constant. */
AOT_INLINE void outputs_of(uint32_t lanes, const aot_conv_f32_t *layer, const seen_t *seen, const float *x,
                           const float *weights, const float *bias, float *y) {
    aot_sums_f32_t sums = {0};
    weights += seen->first_tap * lanes;
    for (uint32_t row = seen->rows; row != 0; row--) {
        for (uint32_t run = seen->runs; run != 0; run--) {
            if (lanes == 4) {
                aot_dot_of_4(&weights, &x, seen->run, &sums);
            } else if (lanes == 2) {
                aot_dot_of_2(&weights, &x, seen->run, &sums);
            } else {
                aot_dot_of_1(&weights, &x, seen->run, &sums);
            }
            x += seen->skip;
        }
        x += seen->row_skip;
        weights += seen->skipped_taps * lanes;
    }
    y[0] = aot_limit(sums.a + bias[0], layer->minimum, layer->maximum);
    if (lanes > 1) {
        y[1] = aot_limit(sums.b + bias[1], layer->minimum, layer->maximum);
    }
    if (lanes > 2) {
        y[2] = aot_limit(sums.c + bias[2], layer->minimum, layer->maximum);
        y[3] = aot_limit(sums.d + bias[3], layer->minimum, layer->maximum);
    }
}

/* All outputs of one pixel, whose window begins at x. */
AOT_INLINE float *pixel_of(const aot_conv_f32_t *layer, const seen_t *seen, const float *x, float *y) {
    const uint32_t taps = seen->taps;
    const float *weights = layer->weights, *bias = layer->bias, *end = bias + layer->window.output_channels;
    for (; bias != end; x += layer->group_inputs) {
        uint32_t left = layer->group_outputs;
        for (; left >= 4; left -= 4, bias += 4, y += 4, weights += 4 * taps) {
            outputs_of(4, layer, seen, x, weights, bias, y);
        }
        if (left >= 2) {
            outputs_of(2, layer, seen, x, weights, bias, y);
            left -= 2, bias += 2, y += 2, weights += 2 * taps;
        }
        if (left != 0) {
            outputs_of(1, layer, seen, x, weights, bias, y);
            bias++, y++, weights += taps;
        }
    }
    return y;
}

void aot_conv_f32(const aot_conv_f32_t *layer, const float *x, float *y) {
    const aot_window_t *window = &layer->window;
    const int32_t channels = window->input_channels;
    for (int32_t i = 0; i < window->output_height; i++) {
        const aot_taps_t rows = aot_row_taps(window, i);
        const int32_t row = rows.origin + rows.first * window->dilation_height;
        for (int32_t j = 0; j < window->output_width;) {
            const aot_taps_t columns = aot_column_taps(window, j);
            const seen_t seen = see(layer, rows, columns);
            const int32_t column = columns.origin + columns.first * window->dilation_width;
            const float *first = x + (row * window->input_width + column) * channels;
            for (int32_t alike = aot_alike(window, columns); alike != 0; alike--, j++) {
                y = pixel_of(layer, &seen, first, y);
                first += window->stride_width * channels;
            }
        }
    }
}

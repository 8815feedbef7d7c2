/* CONV_2D on float32 with one input channel, with additions and roundings in the order of TFLM. */
#pragma GCC optimize("O2") /* like TFLM, which would be faster otherwise */
#include "aot_conv.h"
#include "aot_dot_f32.h"
#include "aot_float.h"

/* Adds a tap to the sums of n pixels, at least one, for `lanes` outputs, a constant. */
AOT_INLINE void add_tap(uint32_t lanes, uint32_t n, const float *w, const float *x, uint32_t x_step, float *y,
                        uint32_t y_step) {
    if (lanes == 4) {
        aot_tap_of_4(n, w, x, x_step, y, y_step);
    } else if (lanes == 2) {
        aot_tap_of_2(n, w, x, x_step, y, y_step);
    } else if (x_step == 1 && y_step == 1) {
        aot_tap_of_row(n, *w, x, y);
    } else {
        aot_tap_of_1(n, *w, x, x_step, y, y_step);
    }
}

/* Adds the biases to n pixels and limits them. */
AOT_INLINE void finish(uint32_t lanes, uint32_t n, const float *bias, float minimum, float maximum, float *y,
                       uint32_t y_step) {
    const float a = bias[0], b = lanes > 1 ? bias[1] : 0.0f;
    const float c = lanes > 2 ? bias[2] : 0.0f, d = lanes > 2 ? bias[3] : 0.0f;
    for (; n != 0; n--, y += y_step) {
        y[0] = aot_limit(y[0] + a, minimum, maximum);
        if (lanes > 1) {
            y[1] = aot_limit(y[1] + b, minimum, maximum);
        }
        if (lanes > 2) {
            y[2] = aot_limit(y[2] + c, minimum, maximum);
            y[3] = aot_limit(y[3] + d, minimum, maximum);
        }
    }
}

/* `lanes` outputs of an output row whose windows cover `rows` of the image. */
AOT_INLINE void outputs_of(uint32_t lanes, const aot_conv_f32_by_taps_t *layer, aot_taps_t rows, const float *x,
                           const float *weights, const float *bias, float *y) {
    const aot_window_t *window = &layer->window;
    const int32_t row_step = window->dilation_height * window->input_width;
    const uint32_t kernel = window->kernel_width, x_step = window->stride_width, y_step = window->output_channels;
    const aot_column_t *end = layer->columns + kernel;
    x += rows.origin * window->input_width + rows.first * row_step;
    weights += (uint32_t)rows.first * kernel * lanes;
    for (uint32_t row = aot_tap_count(rows); row != 0; row--, x += row_step) {
        for (const aot_column_t *column = layer->columns; column != end; column++, weights += lanes) {
            if (column->count != 0) {
                add_tap(lanes, column->count, weights, x + column->input, x_step, y + column->output, y_step);
            }
        }
    }
    finish(lanes, window->output_width, bias, layer->minimum, layer->maximum, y, y_step);
}

/* Separate functions, so that each can use all registers. */
#define OUTPUTS_OF(name, lanes)                                                                                        \
    static __attribute__((noinline)) void name(const aot_conv_f32_by_taps_t *layer, aot_taps_t rows, const float *x,   \
                                               const float *weights, const float *bias, float *y) {                    \
        outputs_of(lanes, layer, rows, x, weights, bias, y);                                                           \
    }

OUTPUTS_OF(four_outputs, 4)
OUTPUTS_OF(two_outputs, 2)
OUTPUTS_OF(one_output, 1)

void aot_conv_f32_by_taps(const aot_conv_f32_by_taps_t *layer, const float *x, float *y) {
    const aot_window_t *window = &layer->window;
    const uint32_t taps = (uint32_t)window->kernel_height * window->kernel_width;
    const uint32_t size = (uint32_t)window->output_width * window->output_channels;
    for (int32_t i = 0; i < window->output_height; i++, y += size) {
        const aot_taps_t rows = aot_row_taps(window, i);
        const float *weights = layer->weights, *bias = layer->bias;
        float *sum = y;
        uint32_t n = size;
        AOT_REPEAT(n, *sum++ = 0.0f)
        sum = y;
        uint32_t left = window->output_channels;
        for (; left >= 4; left -= 4, sum += 4, bias += 4, weights += 4 * taps) {
            four_outputs(layer, rows, x, weights, bias, sum);
        }
        if (left >= 2) {
            two_outputs(layer, rows, x, weights, bias, sum);
            left -= 2, sum += 2, bias += 2, weights += 2 * taps;
        }
        if (left != 0) {
            one_output(layer, rows, x, weights, bias, sum);
        }
    }
}

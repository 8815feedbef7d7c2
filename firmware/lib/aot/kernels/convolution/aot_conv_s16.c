/* CONV_2D and DEPTHWISE_CONV_2D on int16 with int8 weights. */
#pragma GCC optimize("O2") /* like TFLM, which would be faster otherwise */
#include "aot_conv.h"

/* The sum for one output channel: `x` points to the first channel of its group, `w` to its weights. */
static inline int64_t sum_of(const aot_conv_s16_t *layer, const int16_t *x, const int8_t *w, aot_taps_t rows,
                             aot_taps_t columns) {
    const aot_window_t *window = &layer->window;
    const uint32_t inputs = layer->group_inputs;
    const int32_t step = window->dilation_width * window->input_channels;
    int64_t sum = 0;
    for (int32_t k = rows.first; k < rows.end; k++) {
        const int32_t row = (rows.origin + k * window->dilation_height) * window->input_width;
        if (inputs <= 4 && columns.end - columns.first <= 64) { /* the sum of the products fits into 32 bits */
            const int16_t *tap =
                x + (row + columns.origin + columns.first * window->dilation_width) * window->input_channels;
            const int8_t *weight = w + (uint32_t)(k * window->kernel_width + columns.first) * inputs;
            int32_t products = 0;
            for (int32_t l = columns.first; l < columns.end; l++, tap += step) {
                for (uint32_t c = 0; c < inputs; c++) {
                    products += tap[c] * *weight++;
                }
            }
            sum += products;
            continue;
        }
        /* Contiguous taps are one run. */
        const int32_t taps =
            window->dilation_width == 1 && inputs == window->input_channels ? columns.end - columns.first : 1;
        for (int32_t l = columns.first; l < columns.end; l += taps) {
            const int32_t column = columns.origin + l * window->dilation_width;
            const int8_t *tap = w + (uint32_t)(k * window->kernel_width + l) * inputs;
            sum = aot_dot_s16(x + (row + column) * window->input_channels, tap, (uint32_t)taps * inputs, sum);
        }
    }
    return sum;
}

void aot_conv_s16(const aot_conv_s16_t *layer, const int16_t *x, int16_t *y) {
    const aot_window_t *window = &layer->window;
    const uint32_t weights = (uint32_t)window->kernel_height * window->kernel_width * layer->group_inputs;
    for (int32_t i = 0; i < window->output_height; i++) {
        const aot_taps_t rows = aot_row_taps(window, i);
        for (int32_t j = 0; j < window->output_width; j++) {
            const aot_taps_t columns = aot_column_taps(window, j);
            for (uint32_t o = 0; o < window->output_channels; o++) {
                const int16_t *group = x + o / layer->group_outputs * layer->group_inputs;
                const int64_t sum = sum_of(layer, group, layer->weights + o * weights, rows, columns);
                *y++ = aot_stored_s16(sum + layer->bias[o], layer->scale[o * layer->scale_step], layer->narrow,
                                      layer->minimum, layer->maximum);
            }
        }
    }
}

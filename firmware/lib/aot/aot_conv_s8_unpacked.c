/* CONV_2D and DEPTHWISE_CONV_2D on int8, for layers that the packed kernels do not take. */
#include "aot_conv.h"

/* The sum of one output channel: `x` points at its group's first channel, `w` at its weights. */
static inline int32_t sum_of(const aot_conv_s8_unpacked_t *layer, const int8_t *x, const int8_t *w, aot_taps_t rows,
                             aot_taps_t columns, int32_t bias) {
    const aot_window_t *window = &layer->window;
    const int32_t inputs = (int32_t)layer->group_inputs;
    const int32_t zero_point = layer->input_zero_point;
    uint32_t sum = (uint32_t)bias; /* TFLM's sums wrap at 32 bits, so this may, too */
    for (int32_t k = rows.first; k < rows.end; k++) {
        const int32_t row = (rows.origin + k * window->dilation_height) * window->input_width;
        for (int32_t l = columns.first; l < columns.end; l++) {
            const int32_t column = columns.origin + l * window->dilation_width;
            const int8_t *pixel = x + (row + column) * window->input_channels;
            const int8_t *tap = w + (k * window->kernel_width + l) * inputs;
            for (int32_t c = 0; c < inputs; c++) {
                sum += (uint32_t)((pixel[c] - zero_point) * tap[c]);
            }
        }
    }
    return (int32_t)sum;
}

void aot_conv_s8_unpacked(const aot_conv_s8_unpacked_t *layer, const int8_t *x, int8_t *y) {
    const aot_window_t *window = &layer->window;
    const uint32_t weights = (uint32_t)window->kernel_height * window->kernel_width * layer->group_inputs;
    for (int32_t i = 0; i < window->output_height; i++) {
        const aot_taps_t rows = aot_row_taps(window, i);
        for (int32_t j = 0; j < window->output_width; j++) {
            const aot_taps_t columns = aot_column_taps(window, j);
            for (uint32_t o = 0; o < window->output_channels; o++) {
                const int8_t *group = x + o / layer->group_outputs * layer->group_inputs;
                const int32_t sum = sum_of(layer, group, layer->weights + o * weights, rows, columns, layer->bias[o]);
                const int32_t value = aot_rescale(sum, layer->scale[o * layer->scale_step]);
                *y++ = aot_store_s8(value, layer->zero_point, layer->minimum, layer->maximum);
            }
        }
    }
}

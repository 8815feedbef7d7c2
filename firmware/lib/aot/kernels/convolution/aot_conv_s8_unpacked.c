/* CONV_2D and DEPTHWISE_CONV_2D on int8, for layers that the packed kernels cannot compute. */
#include "aot_conv.h"

/* The sum for one output channel over the part of a window inside the image, which begins at input `x`, weight `w`. */
static __attribute__((noinline)) int32_t sum_of(const aot_conv_s8_unpacked_t *layer, const int8_t *x, const int8_t *w,
                                                uint32_t rows, uint32_t columns, int32_t bias) {
    const aot_window_t *window = &layer->window;
    const uint32_t inputs = layer->group_inputs;
    const int32_t zero_point = layer->input_zero_point;
    /* From the end of a tap to the next tap, and from the end of a row to the next row. */
    const int32_t tap_step = window->dilation_width * window->input_channels - (int32_t)inputs;
    const int32_t row_step = window->dilation_height * window->input_width * window->input_channels -
                             (int32_t)columns * (tap_step + (int32_t)inputs);
    const uint32_t weight_step = (window->kernel_width - columns) * inputs;
    uint32_t sum = (uint32_t)bias; /* may wrap around at 32 bits, as the sums of TFLM do */
    for (; rows != 0; rows--) {
        for (uint32_t left = columns; left != 0; left--) {
            for (const int8_t *end = x + inputs; x != end;) {
                sum += (uint32_t)((*x++ - zero_point) * *w++);
            }
            x += tap_step;
        }
        x += row_step;
        w += weight_step;
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
            const int32_t row = rows.origin + rows.first * window->dilation_height;
            const int32_t column = columns.origin + columns.first * window->dilation_width;
            const int8_t *pixel = x + (row * window->input_width + column) * window->input_channels;
            const int8_t *first =
                layer->weights + (uint32_t)(rows.first * window->kernel_width + columns.first) * layer->group_inputs;
            for (uint32_t o = 0; o < window->output_channels; o++) {
                const int8_t *group = pixel + o / layer->group_outputs * layer->group_inputs;
                const int32_t sum = sum_of(layer, group, first + o * weights, aot_tap_count(rows),
                                           aot_tap_count(columns), layer->bias[o]);
                const int32_t value = aot_rescale(sum, layer->scale[o * layer->scale_step]);
                *y++ = aot_store_s8(value, layer->zero_point, layer->minimum, layer->maximum);
            }
        }
    }
}

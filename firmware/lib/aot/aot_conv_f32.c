/* CONV_2D and DEPTHWISE_CONV_2D on float32, with TFLM's order of additions and roundings. */
#include "aot_conv.h"

/* The sum of one output channel: `x` points at its group's first channel, `w` at its weights. */
static inline float sum_of(const aot_conv_f32_t *layer, const float *x, const float *w, aot_taps_t rows,
                           aot_taps_t columns) {
    const aot_window_t *window = &layer->window;
    const int32_t inputs = (int32_t)layer->group_inputs;
    float sum = 0.0f;
    for (int32_t k = rows.first; k < rows.end; k++) {
        const int32_t row = (rows.origin + k * window->dilation_height) * window->input_width;
        for (int32_t l = columns.first; l < columns.end; l++) {
            const int32_t column = columns.origin + l * window->dilation_width;
            const float *pixel = x + (row + column) * window->input_channels;
            const float *tap = w + (k * window->kernel_width + l) * inputs;
            for (int32_t c = 0; c < inputs; c++) {
                sum += pixel[c] * tap[c];
            }
        }
    }
    return sum;
}

void aot_conv_f32(const aot_conv_f32_t *layer, const float *x, float *y) {
    const aot_window_t *window = &layer->window;
    const uint32_t weights = (uint32_t)window->kernel_height * window->kernel_width * layer->group_inputs;
    for (int32_t i = 0; i < window->output_height; i++) {
        const aot_taps_t rows = aot_row_taps(window, i);
        for (int32_t j = 0; j < window->output_width; j++) {
            const aot_taps_t columns = aot_column_taps(window, j);
            for (uint32_t o = 0; o < window->output_channels; o++) {
                const float *group = x + o / layer->group_outputs * layer->group_inputs;
                const float sum = sum_of(layer, group, layer->weights + o * weights, rows, columns) + layer->bias[o];
                const float raised = sum < layer->minimum ? layer->minimum : sum;
                *y++ = layer->maximum < raised ? layer->maximum : raised;
            }
        }
    }
}

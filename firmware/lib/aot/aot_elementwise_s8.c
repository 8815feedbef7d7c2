/* int8 -> int8, element by element. */
#include "aot_elementwise.h"

void aot_rescale_s8(const aot_rescale_t *layer, const int8_t *x, int8_t *y) {
    for (uint32_t i = 0; i < layer->elements; i++) {
        const int32_t value = aot_rescale(x[i] - layer->input_zero_point, layer->scale);
        y[i] = aot_store_s8(value, layer->output_zero_point, layer->minimum, layer->maximum);
    }
}

void aot_clamp_s8(const aot_clamp_s8_t *layer, const int8_t *x, int8_t *y) {
    for (uint32_t i = 0; i < layer->elements; i++) {
        y[i] = (int8_t)aot_clamp(x[i], layer->minimum, layer->maximum);
    }
}

/* To and from int16, element by element. */
#include "aot_elementwise.h"

/* The stored output for the stored input x. */
static inline int32_t rescale(const aot_rescale_t *layer, int32_t x) {
    const int32_t value = aot_rescale(x - layer->input_zero_point, layer->scale);
    const int32_t zero = layer->output_zero_point;
    return aot_clamp(value, layer->minimum - zero, layer->maximum - zero) + zero;
}

void aot_rescale_s8_s16(const aot_rescale_t *layer, const int8_t *x, int16_t *y) {
    for (uint32_t i = 0; i < layer->elements; i++) {
        y[i] = (int16_t)rescale(layer, x[i]);
    }
}

void aot_rescale_s16_s8(const aot_rescale_t *layer, const int16_t *x, int8_t *y) {
    for (uint32_t i = 0; i < layer->elements; i++) {
        y[i] = (int8_t)rescale(layer, x[i]);
    }
}

void aot_rescale_s16(const aot_rescale_t *layer, const int16_t *x, int16_t *y) {
    for (uint32_t i = 0; i < layer->elements; i++) {
        y[i] = (int16_t)rescale(layer, x[i]);
    }
}

/* Conversion to and from int16, element by element. */
#pragma GCC optimize("O2") /* like TFLM, which would be faster otherwise */
#include "aot_elementwise.h"

/* The stored output for the stored input x. */
static inline int32_t rescale(const aot_rescale_t *of, int32_t x) {
    const int32_t value = aot_rescale(x - of->input_zero_point, of->scale);
    const int32_t zero = of->output_zero_point;
    return aot_clamp(value, of->minimum - zero, of->maximum - zero) + zero;
}

/* Each function copies the layer, because the writes to y cannot change a copy. */

void aot_rescale_s8_s16(const aot_rescale_t *layer, const int8_t *x, int16_t *y) {
    const aot_rescale_t of = *layer;
    for (uint32_t i = 0; i < of.elements; i++) {
        y[i] = (int16_t)rescale(&of, x[i]);
    }
}

void aot_rescale_s16_s8(const aot_rescale_t *layer, const int16_t *x, int8_t *y) {
    const aot_rescale_t of = *layer;
    for (uint32_t i = 0; i < of.elements; i++) {
        y[i] = (int8_t)rescale(&of, x[i]);
    }
}

void aot_rescale_s16(const aot_rescale_t *layer, const int16_t *x, int16_t *y) {
    const aot_rescale_t of = *layer;
    for (uint32_t i = 0; i < of.elements; i++) {
        y[i] = (int16_t)rescale(&of, x[i]);
    }
}

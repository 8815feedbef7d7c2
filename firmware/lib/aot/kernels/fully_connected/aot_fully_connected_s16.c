/* FULLY_CONNECTED on int16 with int8 weights. */
#pragma GCC optimize("O2") /* like TFLM, which would be faster otherwise */
#include "aot_fully_connected.h"

/* Inlined with a constant `narrow`, which leaves more registers to the loop. */
static inline __attribute__((always_inline)) void layer_of(const aot_fully_connected_s16_t *layer, uint32_t narrow,
                                                           const int16_t *x, int16_t *y) {
    /* Copies, which the writes to y cannot change. */
    const uint32_t columns = layer->columns, scale_step = layer->scale_step;
    const int32_t minimum = layer->minimum, maximum = layer->maximum;
    for (uint32_t batch = layer->batches; batch != 0; batch--, x += columns) {
        const int8_t *weights = layer->weights;
        const int64_t *bias = layer->bias;
        const aot_scale_t *scale = layer->scale;
        for (uint32_t row = layer->rows; row != 0; row--, weights += columns, scale += scale_step) {
            const int64_t sum = aot_dot_s16(x, weights, columns, *bias++);
            *y++ = aot_stored_s16(sum, *scale, narrow, minimum, maximum);
        }
    }
}

void aot_fully_connected_s16(const aot_fully_connected_s16_t *layer, const int16_t *x, int16_t *y) {
    if (layer->narrow) {
        layer_of(layer, 1, x, y);
    } else {
        layer_of(layer, 0, x, y);
    }
}

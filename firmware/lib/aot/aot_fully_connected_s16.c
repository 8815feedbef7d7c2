/* FULLY_CONNECTED on int16 with int8 weights. */
#pragma GCC optimize("O2") /* as TFLM is compiled, or it would be faster */
#include "aot_fully_connected.h"

void aot_fully_connected_s16(const aot_fully_connected_s16_t *layer, const int16_t *x, int16_t *y) {
    for (uint32_t batch = 0; batch < layer->batches; batch++, x += layer->columns) {
        const int8_t *weights = layer->weights;
        for (uint32_t row = 0; row < layer->rows; row++, weights += layer->columns) {
            const int64_t sum = aot_dot_s16(x, weights, layer->columns, layer->bias[row]);
            *y++ = aot_stored_s16(sum, layer->scale[row * layer->scale_step], layer->narrow, layer->minimum,
                                  layer->maximum);
        }
    }
}

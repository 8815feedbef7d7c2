/* FULLY_CONNECTED on int8, for weights and scales that the packed kernel cannot use. */
#include "aot_fully_connected.h"

void aot_fully_connected_s8_unpacked(const aot_fully_connected_s8_unpacked_t *layer, const int8_t *x, int8_t *y) {
    for (uint32_t batch = 0; batch < layer->batches; batch++, x += layer->columns) {
        const int8_t *weights = layer->weights;
        const aot_scale_t *scale = layer->scale;
        for (uint32_t row = 0; row < layer->rows; row++) {
            uint32_t sum = (uint32_t)layer->bias[row]; /* may wrap around, as the folded bias may have done */
            for (uint32_t column = 0; column < layer->columns; column++) {
                sum += (uint32_t)(*weights++ * x[column]);
            }
            const int32_t value = aot_rescale((int32_t)sum, *scale);
            *y++ = aot_store_s8(value, layer->zero_point, layer->minimum, layer->maximum);
            scale += layer->scale_step;
        }
    }
}

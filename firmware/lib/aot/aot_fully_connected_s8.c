/* FULLY_CONNECTED on int8, with packed weights. */
#include "aot_dot_s8.h"
#include "aot_fully_connected.h"

void aot_fully_connected_s8(const aot_fully_connected_s8_t *layer, const int8_t *x, int8_t *y) {
    const uint32_t blocks = (layer->columns + 3) / 4;
    for (uint32_t batch = 0; batch < layer->batches; batch++, x += layer->columns) {
        const int16_t *weights = layer->weights;
        const int32_t *bias = layer->bias;
        const aot_scale_t *scale = layer->scale;
        for (uint32_t left = layer->rows; left != 0;) {
            const uint32_t rows = left < 4 ? left : 4;
            const uint32_t padded_rows = rows > 2 ? 4 : 2;
            int32_t sums[4];
            sums[0] = sums[1] = sums[2] = sums[3] = 0;
            for (uint32_t start = 0; start < blocks; start += AOT_DOT_BLOCKS) {
                const uint32_t rest = blocks - start;
                const uint32_t count = rest < AOT_DOT_BLOCKS ? rest : AOT_DOT_BLOCKS;
                if (padded_rows == 4) {
                    aot_dot4_s8(weights, x + 4 * start, count, sums);
                } else {
                    aot_dot2_s8(weights, x + 4 * start, count, sums);
                }
                weights += 4 / 2 * padded_rows * count;
            }
            for (uint32_t row = 0; row < rows; row++) {
                const int32_t sum = (int32_t)((uint32_t)sums[row] + (uint32_t)*bias++);
                const int32_t value = aot_rescale(sum, *scale) + layer->zero_point;
                *y++ = (int8_t)aot_clamp(value, layer->minimum, layer->maximum);
                scale += layer->scale_step;
            }
            left -= rows;
        }
    }
}

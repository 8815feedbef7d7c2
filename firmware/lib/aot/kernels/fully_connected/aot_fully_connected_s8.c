/* FULLY_CONNECTED on int8, with packed weights. */
#include "aot_dot_s8.h"
#include "aot_fully_connected.h"

/* Sets sums[r] to the dot product of packed row r with x. */
static inline void dot(const int16_t *weights, const int8_t *x, uint32_t blocks, uint32_t rows, int32_t sums[4]) {
    sums[0] = sums[1] = sums[2] = sums[3] = 0;
    while (blocks != 0) {
        const uint32_t count = blocks < AOT_DOT_BLOCKS ? blocks : AOT_DOT_BLOCKS;
        if (rows > 2) {
            aot_dot4_s8(weights, x, count, sums);
        } else {
            aot_dot2_s8(weights, x, count, sums);
        }
        weights += (rows > 2 ? 8 : 4) * count;
        x += 4 * count;
        blocks -= count;
    }
}

static void one_batch(const aot_fully_connected_s8_t *layer, const int8_t *x, int8_t *y) {
    const uint32_t blocks = (layer->columns + 3) / 4;
    const int32_t minimum = layer->minimum;
    const int32_t maximum = layer->maximum;
    const int32_t offset = 2 * layer->zero_point + 1;
    const int16_t *weights = layer->weights;
    const int32_t *bias = layer->bias;
    const aot_fraction_t *scale = layer->scale;
    for (uint32_t left = layer->rows; left != 0;) {
        const uint32_t rows = left < 4 ? left : 4;
        int32_t sums[4];
        dot(weights, x, blocks, rows, sums);
        weights += 8 * blocks;
        for (uint32_t row = 0; row < rows; row++) {
            const int32_t value = aot_requantize(sums[row] + *bias++, *scale, offset);
            *y++ = (int8_t)aot_clamp(value, minimum, maximum);
            scale += layer->scale_step;
        }
        left -= rows;
    }
}

void aot_fully_connected_s8(const aot_fully_connected_s8_t *layer, const int8_t *x, int8_t *y) {
    for (uint32_t batch = 0; batch < layer->batches; batch++) {
        one_batch(layer, x, y);
        x += layer->columns;
        y += layer->rows;
    }
}

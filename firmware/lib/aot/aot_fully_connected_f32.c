/* FULLY_CONNECTED on float32, with TFLM's order of additions and roundings. */
#include "aot_dot_f32.h"
#include "aot_float.h"
#include "aot_fully_connected.h"

void aot_fully_connected_f32(const aot_fully_connected_f32_t *layer, const float *x, float *y) {
    const uint32_t columns = layer->columns;
    const float minimum = layer->minimum, maximum = layer->maximum;
    for (uint32_t batch = 0; batch < layer->batches; batch++, x += columns) {
        const float *weights = layer->weights, *bias = layer->bias;
        float *sum = y;
        uint32_t rows = layer->rows;
        for (; rows >= 4; rows -= 4, sum += 4) {
            aot_sums_f32_t sums = {0};
            const float *values = x;
            aot_dot_of_4(&weights, &values, columns, &sums);
            sum[0] = sums.a;
            sum[1] = sums.b;
            sum[2] = sums.c;
            sum[3] = sums.d;
        }
        for (; rows != 0; rows--) {
            aot_sums_f32_t sums = {0};
            const float *values = x;
            aot_dot_of_1(&weights, &values, columns, &sums);
            *sum++ = sums.a;
        }
        for (; y != sum; y++) {
            *y = aot_limit(*y + *bias++, minimum, maximum);
        }
    }
}

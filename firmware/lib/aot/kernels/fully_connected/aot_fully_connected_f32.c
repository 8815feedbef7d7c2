/* FULLY_CONNECTED on float32, with additions and roundings in the order of TFLM. */
#pragma GCC optimize("O2") /* like TFLM, which would be faster otherwise */
#include "aot_dot_f32.h"
#include "aot_float.h"
#include "aot_fully_connected.h"

void aot_fully_connected_f32(const aot_fully_connected_f32_t *layer, const float *x, float *y) {
    const uint32_t columns = layer->columns;
    const float minimum = layer->minimum, maximum = layer->maximum;
    for (uint32_t batch = 0; batch < layer->batches; batch++, x += columns) {
        const float *weights = layer->weights, *bias = layer->bias;
        uint32_t rows = layer->rows;
        for (; rows >= 4; rows -= 4, bias += 4, y += 4) {
            aot_sums_f32_t sums = {0};
            const float *values = x;
            aot_dot_of_4(&weights, &values, columns, &sums);
            y[0] = aot_limit(sums.a + bias[0], minimum, maximum);
            y[1] = aot_limit(sums.b + bias[1], minimum, maximum);
            y[2] = aot_limit(sums.c + bias[2], minimum, maximum);
            y[3] = aot_limit(sums.d + bias[3], minimum, maximum);
        }
        if (rows >= 2) {
            aot_sums_f32_t sums = {0};
            const float *values = x;
            aot_dot_of_2(&weights, &values, columns, &sums);
            y[0] = aot_limit(sums.a + bias[0], minimum, maximum);
            y[1] = aot_limit(sums.b + bias[1], minimum, maximum);
            rows -= 2, bias += 2, y += 2;
        }
        if (rows != 0) {
            aot_sums_f32_t sums = {0};
            const float *values = x;
            aot_dot_of_1(&weights, &values, columns, &sums);
            *y++ = aot_limit(sums.a + *bias, minimum, maximum);
        }
    }
}

/* MEAN on int8. */
#pragma GCC optimize("O2") /* like TFLM, which would be faster otherwise */
#include "aot_mean.h"

static int32_t sum_of(const aot_axis_t *axes, uint32_t axis_count, const int8_t *x) {
    const aot_axis_t inner = axes[axis_count - 1];
    int32_t sum = 0;
    aot_position_t at = {0};
    do {
        const int8_t *element = x + at.first;
        for (uint32_t i = inner.size; i != 0; i--, element += inner.first_step) {
            sum += *element;
        }
    } while (aot_advance(&at, axes, axis_count - 1));
    return sum;
}

void aot_mean_s8(const aot_mean_s8_t *layer, const int8_t *x, int8_t *y) {
    aot_position_t at = {0};
    do {
        const int32_t sum = sum_of(layer->reduced, layer->reduced_count, x + at.first) - layer->sum_of_zero;
        *y++ = aot_store_s8(aot_rescale(sum, layer->scale), layer->zero_point, INT8_MIN, INT8_MAX);
    } while (aot_advance(&at, layer->kept, layer->kept_count));
}

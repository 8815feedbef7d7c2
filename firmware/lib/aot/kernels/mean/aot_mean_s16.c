/* MEAN on int16. */
#pragma GCC optimize("O2") /* like TFLM, which would be faster otherwise */
#include "aot_mean.h"

/* The sum may wrap around at 32 bits, as in TFLM. */
static int32_t sum_of(const aot_axis_t *axes, uint32_t axis_count, const int16_t *x) {
    const aot_axis_t inner = axes[axis_count - 1];
    uint32_t sum = 0;
    aot_position_t at = {0};
    do {
        const int16_t *element = x + at.first;
        for (uint32_t i = inner.size; i != 0; i--, element += inner.first_step) {
            sum += (uint32_t)(int32_t)*element;
        }
    } while (aot_advance(&at, axes, axis_count - 1));
    return (int32_t)sum;
}

void aot_mean_s16(const aot_mean_s16_t *layer, const int16_t *x, int16_t *y) {
    aot_position_t at = {0};
    do {
        const int32_t sum = sum_of(layer->reduced, layer->reduced_count, x + at.first);
        *y++ = (int16_t)aot_clamp(aot_rescale(sum, layer->scale), INT16_MIN, INT16_MAX);
    } while (aot_advance(&at, layer->kept, layer->kept_count));
}

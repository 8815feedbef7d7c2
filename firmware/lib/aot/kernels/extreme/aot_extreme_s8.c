/* MAXIMUM, MINIMUM, REDUCE_MAX and REDUCE_MIN on int8. */
#pragma GCC optimize("O2") /* like TFLM, which would be faster otherwise */
#include "aot_extreme.h"

#include <stdbool.h>
#include <stdint.h>

/* The comparisons are those of TFLM. */
static inline void elementwise(const aot_extreme_t *layer, const int8_t *a, const int8_t *b, int8_t *y, bool larger) {
    const aot_axis_t inner = layer->axes[layer->axis_count - 1];
    aot_position_t at = {0};
    do {
        const int8_t *p = a + at.first, *q = b + at.second;
        for (uint32_t i = inner.size; i != 0; i--, p += inner.first_step, q += inner.second_step) {
            *y++ = (larger ? *p > *q : *p < *q) ? *p : *q;
        }
    } while (aot_advance(&at, layer->axes, layer->axis_count - 1));
}

static inline int8_t extreme_of(const aot_axis_t *axes, uint32_t axis_count, const int8_t *x, bool larger) {
    const aot_axis_t inner = axes[axis_count - 1];
    int8_t extreme = larger ? INT8_MIN : INT8_MAX;
    aot_position_t at = {0};
    do {
        const int8_t *element = x + at.first;
        for (uint32_t i = inner.size; i != 0; i--, element += inner.first_step) {
            extreme = (larger ? *element > extreme : *element < extreme) ? *element : extreme;
        }
    } while (aot_advance(&at, axes, axis_count - 1));
    return extreme;
}

static inline void reduce(const aot_reduce_t *layer, const int8_t *x, int8_t *y, bool larger) {
    aot_position_t at = {0};
    do {
        *y++ = extreme_of(layer->reduced, layer->reduced_count, x + at.first, larger);
    } while (aot_advance(&at, layer->kept, layer->kept_count));
}

void aot_maximum_s8(const aot_extreme_t *layer, const int8_t *a, const int8_t *b, int8_t *y) {
    elementwise(layer, a, b, y, true);
}

void aot_minimum_s8(const aot_extreme_t *layer, const int8_t *a, const int8_t *b, int8_t *y) {
    elementwise(layer, a, b, y, false);
}

void aot_reduce_max_s8(const aot_reduce_t *layer, const int8_t *x, int8_t *y) {
    reduce(layer, x, y, true);
}

void aot_reduce_min_s8(const aot_reduce_t *layer, const int8_t *x, int8_t *y) {
    reduce(layer, x, y, false);
}

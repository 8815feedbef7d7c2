/* AVERAGE_POOL_2D and MAX_POOL_2D on int16. */
#pragma GCC optimize("O2") /* like TFLM, which would be faster otherwise */
#include "aot_pool.h"

/* The part of a window inside the image, for one channel. */
typedef struct {
    const int16_t *first;
    uint32_t rows, columns;
    uint32_t row_step, column_step; /* in elements */
} part_t;

/* sum / count; halves are rounded away from zero. */
static inline int32_t divide(int32_t sum, int32_t count) {
    return (sum > 0 ? sum + count / 2 : sum - count / 2) / count;
}

static inline int32_t average(part_t part) {
    int32_t sum = 0;
    for (uint32_t i = 0; i < part.rows; i++) {
        const int16_t *element = part.first + i * part.row_step;
        for (uint32_t j = part.columns; j != 0; j--, element += part.column_step) {
            sum += *element;
        }
    }
    return divide(sum, (int32_t)(part.rows * part.columns));
}

static inline int32_t maximum(part_t part) {
    int32_t largest = INT16_MIN;
    for (uint32_t i = 0; i < part.rows; i++) {
        const int16_t *element = part.first + i * part.row_step;
        for (uint32_t j = part.columns; j != 0; j--, element += part.column_step) {
            largest = largest < *element ? *element : largest;
        }
    }
    return largest;
}

/* Inlined with a constant `reduce`, so that each kind of pooling is a function without calls. */
static inline __attribute__((always_inline)) void pool(const aot_pool_s16_t *layer, const int16_t *x, int16_t *y,
                                                       int32_t (*reduce)(part_t)) {
    const aot_window_t *window = &layer->window;
    const uint32_t channels = window->input_channels;
    const uint32_t row_step = window->input_width * channels;
    for (int32_t row = 0; row < window->output_height; row++) {
        const aot_taps_t rows = aot_pooled_rows(window, row);
        for (int32_t column = 0; column < window->output_width; column++) {
            const aot_taps_t columns = aot_pooled_columns(window, column);
            part_t part = {x + (uint32_t)(rows.origin + rows.first) * row_step +
                               (uint32_t)(columns.origin + columns.first) * channels,
                           (uint32_t)(rows.end - rows.first), (uint32_t)(columns.end - columns.first), row_step,
                           channels};
            for (uint32_t channel = 0; channel < channels; channel++, part.first++) {
                *y++ = (int16_t)aot_clamp(reduce(part), layer->minimum, layer->maximum);
            }
        }
    }
}

void aot_average_pool_s16(const aot_pool_s16_t *layer, const int16_t *x, int16_t *y) {
    pool(layer, x, y, average);
}

void aot_max_pool_s16(const aot_pool_s16_t *layer, const int16_t *x, int16_t *y) {
    pool(layer, x, y, maximum);
}

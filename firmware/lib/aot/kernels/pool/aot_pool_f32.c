/* AVERAGE_POOL_2D and MAX_POOL_2D on float32. */
#pragma GCC optimize("O2") /* like TFLM, which would be faster otherwise */
#include "aot_float.h"
#include "aot_pool.h"

#include <float.h>

#define LANES 4 /* channels that are pooled at once */

#define INLINE static inline __attribute__((always_inline))

/* The part of a window inside the image. */
typedef struct {
    uint32_t rows, columns;
    int32_t column_step, row_skip; /* in elements: to the next column, and from the end of a row to the next row */
    float elements;
} part_t;

typedef enum { AVERAGE, MAXIMUM } reduction_t;

INLINE void take(reduction_t reduction, float *reduced, float value) {
    if (reduction == AVERAGE) {
        *reduced += value;
    } else {
        *reduced = *reduced < value ? value : *reduced; /* ignores NaN */
    }
}

/* Pools one pixel of `lanes` channels, a constant, from x on. */
INLINE void pool_lanes(reduction_t reduction, uint32_t lanes, const part_t *part, const float *x, float minimum,
                       float maximum, float *y) {
    const float nothing = reduction == AVERAGE ? 0.0f : -FLT_MAX;
    float a = nothing, b = nothing, c = nothing, d = nothing;
    for (uint32_t row = part->rows; row != 0; row--, x += part->row_skip) {
        for (uint32_t column = part->columns; column != 0; column--, x += part->column_step) {
            take(reduction, &a, x[0]);
            if (lanes == LANES) {
                take(reduction, &b, x[1]);
                take(reduction, &c, x[2]);
                take(reduction, &d, x[3]);
            }
        }
    }
    y[0] = aot_limit(reduction == AVERAGE ? a / part->elements : a, minimum, maximum);
    if (lanes == LANES) {
        y[1] = aot_limit(reduction == AVERAGE ? b / part->elements : b, minimum, maximum);
        y[2] = aot_limit(reduction == AVERAGE ? c / part->elements : c, minimum, maximum);
        y[3] = aot_limit(reduction == AVERAGE ? d / part->elements : d, minimum, maximum);
    }
}

/* Inlined with a constant `reduction`, so that each kind of pooling is a function without calls. */
INLINE void pool(reduction_t reduction, const aot_pool_f32_t *layer, const float *x, float *y) {
    const aot_window_t *window = &layer->window;
    const int32_t channels = window->input_channels;
    const int32_t row_step = window->input_width * channels;
    const float minimum = layer->minimum, maximum = layer->maximum;
    for (int32_t i = 0; i < window->output_height; i++) {
        const aot_taps_t rows = aot_pooled_rows(window, i);
        const float *row = x + (rows.origin + rows.first) * row_step;
        for (int32_t j = 0; j < window->output_width;) {
            const aot_taps_t columns = aot_pooled_columns(window, j);
            part_t part = {.rows = aot_tap_count(rows), .columns = aot_tap_count(columns), .column_step = channels};
            part.row_skip = row_step - (int32_t)part.columns * channels;
            part.elements = (float)(part.rows * part.columns);
            const float *first = row + (columns.origin + columns.first) * channels;
            for (int32_t alike = aot_alike(window, columns); alike != 0; alike--, j++) {
                const float *pixel = first;
                int32_t left = channels;
                for (; left >= LANES; left -= LANES, pixel += LANES, y += LANES) {
                    pool_lanes(reduction, LANES, &part, pixel, minimum, maximum, y);
                }
                for (; left != 0; left--, pixel++, y++) {
                    pool_lanes(reduction, 1, &part, pixel, minimum, maximum, y);
                }
                first += window->stride_width * channels;
            }
        }
    }
}

void aot_average_pool_f32(const aot_pool_f32_t *layer, const float *x, float *y) {
    pool(AVERAGE, layer, x, y);
}

void aot_max_pool_f32(const aot_pool_f32_t *layer, const float *x, float *y) {
    pool(MAXIMUM, layer, x, y);
}

/*
 * AVERAGE_POOL_2D and MAX_POOL_2D: y = activation(average or maximum of a window of x), per channel. Padding does not
 * count: a window that reaches beyond x is smaller, but never empty.
 */
#ifndef AOT_POOL_H
#define AOT_POOL_H

#include "aot_fixed.h"
#include "aot_window.h"

/* The taps for row `position` of the output; aot_pooled_columns() returns those for a column. There is no dilation. */
static inline aot_taps_t aot_pooled_rows(const aot_window_t *window, int32_t position) {
    return aot_taps(position * window->stride_height - window->pad_top, 1, window->kernel_height, window->input_height);
}

static inline aot_taps_t aot_pooled_columns(const aot_window_t *window, int32_t position) {
    return aot_taps(position * window->stride_width - window->pad_left, 1, window->kernel_width, window->input_width);
}

/* int8. Input and output have the same quantization. */
typedef struct {
    aot_window_t window;
    int32_t minimum, maximum; /* of the stored output */
} aot_pool_s8_t;

void aot_average_pool_s8(const aot_pool_s8_t *layer, const int8_t *x, int8_t *y);
void aot_max_pool_s8(const aot_pool_s8_t *layer, const int8_t *x, int8_t *y);

/* The same for int16. */
typedef struct {
    aot_window_t window;
    int32_t minimum, maximum;
} aot_pool_s16_t;

void aot_average_pool_s16(const aot_pool_s16_t *layer, const int16_t *x, int16_t *y);
void aot_max_pool_s16(const aot_pool_s16_t *layer, const int16_t *x, int16_t *y);

/* float32. Sums run along the rows of the window, in order. */
typedef struct {
    aot_window_t window;
    float minimum, maximum;
} aot_pool_f32_t;

void aot_average_pool_f32(const aot_pool_f32_t *layer, const float *x, float *y);
void aot_max_pool_f32(const aot_pool_f32_t *layer, const float *x, float *y);

#endif

/* Gathers the inputs in the windows of an int8 convolution, for kernels that multiply them by packed weights. */
#ifndef AOT_GATHER_H
#define AOT_GATHER_H

#include "aot_conv.h"

#include <stdbool.h>

/* Four columns of a pixel, widened to 16 bits, in the order 0, 2, 1, 3. */
typedef union {
    int16_t columns[4];
    uint32_t words[2];
} aot_quad_t;

/* A block of columns of two pixels. */
typedef struct {
    aot_quad_t of[2];
} aot_block_t;

/* The first tap of a window, which may be outside the image. */
typedef struct {
    const int8_t *x;
    int32_t row, column;
} aot_origin_t;

/* A walk over the output pixels in order, and over their windows. */
typedef struct {
    aot_origin_t at;
    uint32_t left; /* output pixels that are left in this row */
    const aot_conv_s8_t *layer;
    uint32_t pixel_step, line_step; /* of x: to the next output pixel, and in addition at the end of a row */
    /* A window is inside the image if its first row is below inside_rows and its first column below inside_columns. */
    uint32_t inside_rows, inside_columns;
    uint32_t step, row_step;                /* of x: to the next run, and to the next row of the kernel */
    uint32_t runs, run_blocks, run_columns; /* see aot_conv_s8_t; a column is a channel of a tap */
} aot_walk_t;

/* Begins at the first pixel. */
aot_walk_t aot_walk(const aot_conv_s8_t *layer, const int8_t *x);

/* Writes the inputs of the next two pixels to `columns`; if only one is left (`alone`), it counts twice. */
void aot_gather_two(aot_walk_t *walk, bool alone, aot_block_t *columns);

#endif

/* Gathers what the windows of an int8 convolution see, for the kernels that multiply it by packed weights. */
#ifndef AOT_GATHER_H
#define AOT_GATHER_H

#include "aot_conv.h"

#include <stdbool.h>

/* Four columns of a pixel, widened, in the order 0, 2, 1, 3. */
typedef union {
    int16_t columns[4];
    uint32_t words[2];
} aot_quad_t;

/* A block of columns, of two pixels. */
typedef struct {
    aot_quad_t of[2];
} aot_block_t;

/* Where a window is: its first tap, be that inside the image or not. */
typedef struct {
    const int8_t *x;
    int32_t row, column;
} aot_place_t;

/* Goes through the output pixels in order, and through their windows with them. */
typedef struct {
    aot_place_t at;
    uint32_t left; /* output pixels in this row */
    const aot_conv_s8_t *layer;
    uint32_t pixel_step, line_step; /* of x, from an output pixel to the next, and what the end of a row adds */
    /* So many rows (columns) from the first one on can be a window's first if it is to lie inside the image. */
    uint32_t inside_rows, inside_columns;
    uint32_t step, row_step;                /* of x, from a run or row of the kernel to the next */
    uint32_t runs, run_blocks, run_columns; /* see aot_conv_s8_t; a column is a channel of a tap */
} aot_walk_t;

/* At the first pixel. */
aot_walk_t aot_walk(const aot_conv_s8_t *layer, const int8_t *x);

/* Writes what the next two pixels see to `columns`; with one that is left (`alone`), it is both. */
void aot_gather_two(aot_walk_t *walk, bool alone, aot_block_t *columns);

#endif

/*
 * Convolutions that copy their image tile by tile, with padding around each tile, so that all windows are alike.
 *
 * A tile is the part of the image that the windows of `height` rows and `width` columns of outputs cover. The last tile
 * of a row ends where the row ends, and shares outputs with the one before; the tiles below may have fewer rows.
 */
#ifndef AOT_TILES_H
#define AOT_TILES_H

#include "aot_window.h"
#include "aot_words.h"

typedef struct {
    uint16_t height, width; /* in outputs */
    uint32_t pitch;         /* bytes of a row of the tile */
} aot_tiles_t;

/* aot_copy_rows() or aot_copy_words(). */
typedef void aot_row_copier_t(int8_t *to, uint32_t to_pitch, const int8_t *from, uint32_t from_pitch, uint32_t rows,
                              uint32_t bytes);

/* Computes `rows` rows of outputs, the first of which is at y, from a copied tile. */
typedef void aot_outputs_t(const void *layer, const void *tile, uint32_t rows, void *y);

/*
 * Copies `rows` rows of the image, beginning with its row `row` and column `column`, to `tile`, which has whole words.
 * What is outside the image is `padding`. `pixel` is in bytes.
 */
static inline __attribute__((always_inline)) void aot_copy_tile(const aot_window_t *window, const int8_t *x,
                                                                int32_t pixel, int8_t padding, aot_row_copier_t *copy,
                                                                int32_t row, int32_t column, int32_t rows,
                                                                int32_t pitch, int8_t *tile) {
    aot_fill_words(tile, padding, (uint32_t)(rows * pitch));
    /* Inside the image are rows from top to bottom - 1, of each of them bytes from left to right - 1. */
    const int32_t top = row < 0 ? -row : 0, left = column < 0 ? -column * pixel : 0;
    const int32_t last_row = window->input_height - row, last_byte = (window->input_width - column) * pixel;
    const int32_t bottom = rows < last_row ? rows : last_row, right = pitch < last_byte ? pitch : last_byte;
    if (top < bottom && left < right) {
        x += ((row + top) * window->input_width + column) * pixel + left;
        copy(tile + top * pitch + left, (uint32_t)pitch, x, (uint32_t)(window->input_width * pixel),
             (uint32_t)(bottom - top), (uint32_t)(right - left));
    }
}

/* All tiles; x_pixel and y_pixel are bytes. */
static inline __attribute__((always_inline)) void aot_each_tile(const aot_window_t *window, const aot_tiles_t *tiles,
                                                                const void *x, int32_t x_pixel, int8_t padding,
                                                                aot_row_copier_t *copy, void *scratch,
                                                                aot_outputs_t *outputs, const void *layer, void *y,
                                                                int32_t y_pixel) {
    const int32_t width = tiles->width;
    for (int32_t i = 0; i < window->output_height; i += tiles->height) {
        const int32_t left = window->output_height - i, rows = left < tiles->height ? left : tiles->height;
        const int32_t covered =
            (rows - 1) * window->stride_height + (window->kernel_height - 1) * window->dilation_height + 1;
        for (int32_t next = 0; next < window->output_width; next += width) {
            const int32_t last = window->output_width - width, j = next < last ? next : last;
            aot_copy_tile(window, x, x_pixel, padding, copy, i * window->stride_height - window->pad_top,
                          j * window->stride_width - window->pad_left, covered, (int32_t)tiles->pitch, scratch);
            outputs(layer, scratch, (uint32_t)rows, (int8_t *)y + (i * window->output_width + j) * y_pixel);
        }
    }
}

#endif

/*
 * CONV_2D on int8 with few inputs in a window. There is no gathering: the windows are read where they are, in the image
 * itself or in a copy of a part of it with padding around.
 */
#pragma GCC optimize("O2") /* because it runs for every tile */
#include "aot_conv.h"
#include "aot_groups.h"
#include "aot_limit.h"

/*
 * `rows` rows of `count` groups. The window of the first group is at `x`, its outputs at `y`; those of the next row are
 * `x_pitch` and `y_pitch` bytes further.
 */
static void rows_of_groups(const aot_conv_s8_small_t *layer, const int8_t *x, uint32_t x_pitch, uint32_t count,
                           uint32_t rows, int8_t *y, uint32_t y_pitch) {
    const uint32_t outputs = (uint32_t)(layer->group * layer->window.output_channels) + layer->y_step;
    const aot_groups_t groups = {
        .y_step = layer->y_step,
        .x_step = layer->x_step,
        .x = x,
        .runs_end = x + layer->runs_span,
        .run_step = layer->run_step,
        .end = x + count * layer->x_step,
        .coefficients = layer->coefficients,
        .blocks = layer->blocks,
        .single = layer->single,
        .relu = layer->relu,
        .row_step = x_pitch,
        .x_skip = (int32_t)(x_pitch - count * layer->x_step),
        .y_skip = (int32_t)(y_pitch - count * outputs),
        .rows = rows,
    };
    aot_outputs_of_groups(&groups, y);
}

/* `rows` rows of a tile. */
static void outputs_of_tile(const void *of, const void *tile, uint32_t rows, void *y) {
    const aot_conv_s8_small_t *layer = of;
    const aot_window_t *window = &layer->window;
    const uint32_t x_pitch = window->stride_height * layer->tiles.pitch;
    const uint32_t y_pitch = (uint32_t)(window->output_width * window->output_channels);
    const uint32_t width = layer->tiles.width, groups = width / layer->group;
    rows_of_groups(layer, tile, x_pitch, groups, rows, y, y_pitch);
    const uint32_t last = width - layer->group;
    if (groups * layer->group != width) { /* the last group of a row shares pixels with the one before */
        const int8_t *x = (const int8_t *)tile + last * window->stride_width * window->input_channels;
        rows_of_groups(layer, x, x_pitch, 1, rows, (int8_t *)y + last * window->output_channels, y_pitch);
    }
}

static void limit(const aot_conv_s8_small_t *layer, int8_t *y) {
    const aot_window_t *window = &layer->window;
    const uint32_t pixels = (uint32_t)(window->output_height * window->output_width);
    aot_limit_s8(y, pixels * window->output_channels, layer->minimum, layer->maximum);
}

void aot_conv_s8_small(const aot_conv_s8_small_t *layer, const int8_t *x, int8_t *y) {
    outputs_of_tile(layer, x, layer->window.output_height, y);
    limit(layer, y);
}

void aot_conv_s8_small_padded(const aot_conv_s8_small_t *layer, const int8_t *x, int8_t *y, void *scratch) {
    const aot_window_t *window = &layer->window;
    aot_each_tile(window, &layer->tiles, x, window->input_channels, layer->input_zero_point, aot_copy_rows, scratch,
                  outputs_of_tile, layer, y, window->output_channels);
    limit(layer, y);
}

/*
 * Copies what the windows of a row of `width` outputs cover, beginning with column `column` of the image, which has one
 * row. Pixels that are `dilation` pixels apart become neighbours in a row of the tile.
 */
static void copy_apart(const aot_conv_s8_small_t *layer, const int8_t *x, int32_t column, int8_t *tile) {
    const aot_window_t *window = &layer->window;
    const int32_t channels = window->input_channels, dilation = window->dilation_width;
    const int32_t covered = column + layer->tiles.width + (window->kernel_width - 1) * dilation;
    const int32_t end = window->input_width < covered ? window->input_width : covered;
    aot_fill_words(tile, layer->input_zero_point, (uint32_t)dilation * layer->tiles.pitch);
    for (int32_t left = dilation; left != 0; left--, column++, tile += layer->tiles.pitch) {
        int32_t first = column;
        int8_t *to = tile;
        for (; first < 0; first += dilation) {
            to += channels;
        }
        if (first >= end) {
            continue;
        }
        const int8_t *from = x + first * channels;
        uint32_t count = (uint32_t)(end - first + dilation - 1) / (uint32_t)dilation;
        if (channels == 1) {
            for (; count != 0; count--, from += dilation) {
                *to++ = *from;
            }
        } else {
            aot_copy_rows(to, (uint32_t)channels, from, (uint32_t)(dilation * channels), count, (uint32_t)channels);
        }
    }
}

void aot_conv_s8_small_dilated(const aot_conv_s8_small_t *layer, const int8_t *x, int8_t *y, void *scratch) {
    const aot_window_t *window = &layer->window;
    const uint32_t outputs = window->output_channels, dilation = window->dilation_width;
    const uint32_t width = layer->tiles.width;
    for (int32_t next = 0; next < window->output_width; next += (int32_t)width) {
        const int32_t last = window->output_width - (int32_t)width, j = next < last ? next : last;
        copy_apart(layer, x, j - window->pad_left, scratch);
        /* The first rows of the tile have one output more than the others. */
        const int8_t *tile = scratch;
        int8_t *to = y + (uint32_t)j * outputs;
        const uint32_t count = width / dilation, longer = width % dilation;
        if (longer != 0) {
            rows_of_groups(layer, tile, layer->tiles.pitch, count + 1, longer, to, outputs);
        }
        if (count != 0) {
            rows_of_groups(layer, tile + longer * layer->tiles.pitch, layer->tiles.pitch, count, dilation - longer,
                           to + longer * outputs, outputs);
        }
    }
    limit(layer, y);
}

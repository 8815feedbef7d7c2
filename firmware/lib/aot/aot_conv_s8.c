/*
 * CONV_2D on int8, with packed weights.
 *
 * Two output pixels are computed at a time. What their windows see is gathered first, widened to 16 bits and
 * interleaved, so that the inner loop has everything in order: it multiplies two rows of weights by the columns of both
 * pixels with one load each. aot_dot_s8.h explains the packing of the weights.
 */
#include "aot_channel.h"
#include "aot_conv.h"

#include <stdbool.h>
#include <string.h>

/* Values that one block of four columns takes up in the gathered windows of two pixels. */
#define BLOCK 8

#if defined(__ARM_FEATURE_DSP) && __ARM_FEATURE_DSP

/* Four inputs as the columns 0, 2, 1, 3. */
static inline void widen(uint32_t inputs, int16_t *columns) {
    uint32_t words[2];
    __asm__("sxtb16 %0, %2\n\tsxtb16 %1, %2, ror #8" : "=&r"(words[0]), "=r"(words[1]) : "r"(inputs));
    memcpy(columns, words, sizeof words);
}

/* One block of two rows: `both` collects 256 sum(x h) + sum(x l), `low` collects sum(x l), of pixels a and b. */
#define BLOCK_OF_TWO_ROWS                                                                                              \
    "ldm     %[x]!, {r3, r4, r5, r6}\n\t"                                                                              \
    "ldm     %[w]!, {r8, r9}\n\t"                                                                                      \
    "smlad   %[both_a], r8, r3, %[both_a]\n\t"                                                                         \
    "smlad   %[both_b], r8, r5, %[both_b]\n\t"                                                                         \
    "sxtb16  r8, r8\n\t"                                                                                               \
    "smlad   %[both_a], r9, r4, %[both_a]\n\t"                                                                         \
    "smlad   %[both_b], r9, r6, %[both_b]\n\t"                                                                         \
    "sxtb16  r9, r9\n\t"                                                                                               \
    "smlad   %[low_a], r8, r3, %[low_a]\n\t"                                                                           \
    "smlad   %[low_b], r8, r5, %[low_b]\n\t"                                                                           \
    "smlad   %[low_a], r9, r4, %[low_a]\n\t"                                                                           \
    "smlad   %[low_b], r9, r6, %[low_b]\n\t"

/* Sets sums to those of the high and the low row for pixel a, then for b. Returns the weights that follow. */
static inline const int16_t *two_rows(const int16_t *weights, const int16_t *columns, uint32_t blocks,
                                      int32_t sums[4]) {
    int32_t both_a = 0, both_b = 0, low_a = 0, low_b = 0;
    __asm__ volatile("subs    %[n], %[n], #4\n\t"
                     "blo     2f\n"
                     "1:\n\t" BLOCK_OF_TWO_ROWS BLOCK_OF_TWO_ROWS BLOCK_OF_TWO_ROWS BLOCK_OF_TWO_ROWS
                     "subs    %[n], %[n], #4\n\t"
                     "bhs     1b\n"
                     "2:\n\t"
                     "adds    %[n], %[n], #4\n\t"
                     "beq     4f\n"
                     "3:\n\t" BLOCK_OF_TWO_ROWS "subs    %[n], %[n], #1\n\t"
                     "bne     3b\n"
                     "4:\n"
                     : [w] "+r"(weights), [x] "+r"(columns), [n] "+r"(blocks), [both_a] "+r"(both_a),
                       [both_b] "+r"(both_b), [low_a] "+r"(low_a), [low_b] "+r"(low_b)
                     :
                     : "r3", "r4", "r5", "r6", "r8", "r9", "cc", "memory");
    sums[0] = (both_a - low_a) >> 8;
    sums[1] = low_a;
    sums[2] = (both_b - low_b) >> 8;
    sums[3] = low_b;
    return weights;
}

#else

static inline void widen(uint32_t inputs, int16_t *columns) {
    int8_t x[4];
    memcpy(x, &inputs, sizeof x);
    columns[0] = x[0];
    columns[1] = x[2];
    columns[2] = x[1];
    columns[3] = x[3];
}

static inline const int16_t *two_rows(const int16_t *weights, const int16_t *columns, uint32_t blocks,
                                      int32_t sums[4]) {
    int32_t both_a = 0, both_b = 0, low_a = 0, low_b = 0;
    for (; blocks != 0; blocks--, columns += BLOCK) {
        for (uint32_t i = 0; i < 4; i++) {
            const int32_t both = *weights++, low = (int8_t)both;
            both_a += both * columns[i];
            low_a += low * columns[i];
            both_b += both * columns[4 + i];
            low_b += low * columns[4 + i];
        }
    }
    sums[0] = (both_a - low_a) >> 8;
    sums[1] = low_a;
    sums[2] = (both_b - low_b) >> 8;
    sums[3] = low_b;
    return weights;
}

#endif

/* Widens `bytes` inputs, rounded up to whole blocks, into the columns of one pixel. Returns the columns that follow. */
static inline int16_t *gather_inputs(const int8_t *x, uint32_t bytes, int16_t *columns) {
    for (uint32_t i = 0; i < bytes; i += 4, columns += BLOCK) {
        uint32_t inputs;
        memcpy(&inputs, x + i, sizeof inputs);
        widen(inputs, columns);
    }
    return columns;
}

/* As many columns of zero. */
static inline int16_t *gather_padding(int8_t zero_point, uint32_t bytes, int16_t *columns) {
    for (uint32_t i = 0; i < bytes; i += 4, columns += BLOCK) {
        columns[0] = columns[1] = columns[2] = columns[3] = zero_point;
    }
    return columns;
}

/* A run of taps that starts at `column` of an image's row and sticks out on one side or both. */
static int16_t *gather_border(const aot_conv_s8_t *layer, const int8_t *row, int32_t column, int16_t *columns) {
    const int32_t channels = layer->window.input_channels;
    const int8_t zero_point = layer->input_zero_point;
    int8_t inputs[4];
    uint32_t filled = 0;
    for (int32_t end = column + (int32_t)layer->run_taps; column < end; column++) {
        const bool inside = column >= 0 && column < layer->window.input_width;
        const int8_t *pixel = row + column * channels;
        for (int32_t c = 0; c < channels; c++) {
            inputs[filled++] = inside ? pixel[c] : zero_point;
            if (filled == 4) {
                columns = gather_inputs(inputs, 4, columns);
                filled = 0;
            }
        }
    }
    return filled == 0 ? columns : gather_inputs(inputs, 4, columns);
}

/* What the window of the output pixel at row i, column j sees. */
static void gather(const aot_conv_s8_t *layer, const int8_t *x, int32_t i, int32_t j, int16_t *columns) {
    const aot_window_t *window = &layer->window;
    const int32_t channels = window->input_channels, width = window->input_width;
    const int32_t taps = (int32_t)layer->run_taps;
    int32_t row = i * window->stride_height - window->pad_top;
    for (int32_t k = 0; k < window->kernel_height; k++, row += window->dilation_height) {
        int32_t column = j * window->stride_width - window->pad_left;
        for (int32_t l = 0; l < window->kernel_width; l += taps, column += window->dilation_width) {
            const int8_t *image_row = x + row * width * channels;
            if (row < 0 || row >= window->input_height) {
                columns = gather_padding(layer->input_zero_point, (uint32_t)(taps * channels), columns);
            } else if (column < 0 || column + taps > width) {
                columns = gather_border(layer, image_row, column, columns);
            } else {
                columns = gather_inputs(image_row + column * channels, (uint32_t)(taps * channels), columns);
            }
        }
    }
}

/* All channels of two output pixels, a and b. */
static void two_pixels(const aot_conv_s8_t *layer, const int16_t *columns, int8_t *a, int8_t *b) {
    const int16_t *weights = layer->weights;
    const aot_channel_t *channel = layer->channels;
    const int32_t twice_zero_point_plus_one = 2 * layer->zero_point + 1;
    for (uint32_t left = layer->rows; left != 0; left -= 2, channel += 2) {
        int32_t sums[4];
        weights = two_rows(weights, columns, layer->blocks, sums);
        int32_t offset = aot_channel_offset(channel, twice_zero_point_plus_one);
        a[channel->output] = (int8_t)aot_stored_s8(channel->twice_bias + 2 * sums[0], channel, offset);
        b[channel->output] = (int8_t)aot_stored_s8(channel->twice_bias + 2 * sums[2], channel, offset);
        if (left == 1) {
            break;
        }
        const aot_channel_t *low = channel + 1;
        offset = aot_channel_offset(low, twice_zero_point_plus_one);
        a[low->output] = (int8_t)aot_stored_s8(low->twice_bias + 2 * sums[1], low, offset);
        b[low->output] = (int8_t)aot_stored_s8(low->twice_bias + 2 * sums[3], low, offset);
    }
}

/* The output pixels number `first` and `second` (which may be the same) of the convolution as such. */
static void convolve(const aot_conv_s8_t *layer, const int8_t *x, int32_t first, int32_t second, int16_t *columns,
                     int8_t *a, int8_t *b) {
    const int32_t width = layer->window.output_width;
    gather(layer, x, first / width, first % width, columns);
    gather(layer, x, second / width, second % width, columns + BLOCK / 2);
    two_pixels(layer, columns, a, b);
}

static void limit(const aot_conv_s8_t *layer, int8_t *y, uint32_t elements) {
    if (layer->minimum > INT8_MIN || layer->maximum < INT8_MAX) {
        for (uint32_t i = 0; i < elements; i++) {
            y[i] = (int8_t)aot_clamp(y[i], layer->minimum, layer->maximum);
        }
    }
}

void aot_conv_s8(const aot_conv_s8_t *layer, const int8_t *x, int8_t *y, void *scratch) {
    const int32_t channels = layer->window.output_channels;
    const int32_t pixels = layer->window.output_width * layer->window.output_height;
    for (int32_t a = 0; a < pixels; a += 2) {
        const int32_t b = a + 1 < pixels ? a + 1 : a;
        convolve(layer, x, a, b, scratch, y + a * channels, y + b * channels);
    }
    aot_store_constants(layer->constants, layer->constant_count, (uint32_t)pixels, (uint32_t)channels, y);
    limit(layer, y, (uint32_t)(pixels * channels));
}

static void add(const aot_residual_t *residual, const int8_t *skip, const int8_t *conv, uint32_t elements, int8_t *y) {
    /* Copies, so that the compiler knows them to survive the writes to y. */
    const aot_residual_t r = *residual;
    for (uint32_t i = 0; i < elements; i++) {
        const int32_t sum = aot_addend(skip[i], &r.skip) + aot_addend(conv[i], &r.conv);
        y[i] = (int8_t)aot_clamp(aot_requantise(sum, r.scale, 2 * r.zero_point + 1), r.minimum, r.maximum);
    }
}

void aot_conv_add_s8(const aot_conv_s8_t *layer, const int8_t *skip, const int8_t *x, int8_t *y, void *scratch) {
    const int32_t channels = layer->window.output_channels;
    const int32_t pixels = layer->window.output_width * layer->window.output_height;
    int16_t *columns = scratch;
    int8_t *conv = (int8_t *)(columns + BLOCK * layer->blocks);
    for (int32_t a = 0; a < pixels; a += 2) {
        const int32_t count = a + 1 < pixels ? 2 : 1;
        convolve(layer, x, a, a + count - 1, columns, conv, conv + channels);
        aot_store_constants(layer->constants, layer->constant_count, 2, (uint32_t)channels, conv);
        limit(layer, conv, (uint32_t)(2 * channels));
        add(layer->residual, skip + a * channels, conv, (uint32_t)(count * channels), y + a * channels);
    }
}

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

/* Four columns of a pixel, widened, in the order 0, 2, 1, 3. */
typedef union {
    int16_t columns[4];
    uint32_t words[2];
} quad_t;

/* A block of columns, of both pixels. */
typedef struct {
    quad_t a, b;
} block_t;

#if defined(__ARM_FEATURE_DSP) && __ARM_FEATURE_DSP

static inline quad_t widen(const int8_t *inputs) {
    uint32_t word;
    quad_t quad;
    memcpy(&word, inputs, sizeof word);
    __asm__("sxtb16 %0, %1" : "=r"(quad.words[0]) : "r"(word));
    __asm__("sxtb16 %0, %1, ror #8" : "=r"(quad.words[1]) : "r"(word));
    return quad;
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

/* Sets sums to twice those of the high and the low row for pixel a, then for b. Returns the weights that follow. */
static inline __attribute__((always_inline)) const int16_t *two_rows(const int16_t *weights, const block_t *columns,
                                                                     uint32_t blocks, int32_t twice[4]) {
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
    twice[0] = (both_a - low_a) >> 7;
    twice[1] = 2 * low_a;
    twice[2] = (both_b - low_b) >> 7;
    twice[3] = 2 * low_b;
    return weights;
}

#else

static inline quad_t widen(const int8_t *inputs) {
    return (quad_t){{inputs[0], inputs[2], inputs[1], inputs[3]}};
}

static inline const int16_t *two_rows(const int16_t *weights, const block_t *columns, uint32_t blocks,
                                      int32_t twice[4]) {
    int32_t both_a = 0, both_b = 0, low_a = 0, low_b = 0;
    for (const int16_t *end = weights + 4 * blocks; weights != end; weights += 4, columns++) {
#pragma GCC unroll 4
        for (uint32_t i = 0; i < 4; i++) {
            const int32_t value = weights[i], a = columns->a.columns[i], b = columns->b.columns[i];
            both_a += value * a;
            both_b += value * b;
            low_a += (int8_t)value * a;
            low_b += (int8_t)value * b;
        }
    }
    twice[0] = (both_a - low_a) >> 7;
    twice[1] = 2 * low_a;
    twice[2] = (both_b - low_b) >> 7;
    twice[3] = 2 * low_b;
    return weights;
}

#endif

/*
 * Widens `bytes` inputs, rounded up to whole blocks, into the columns of one pixel: `columns` is its quad in the first
 * block. Returns that in the block that follows.
 */
static quad_t *gather_inputs(const int8_t *x, uint32_t bytes, quad_t *columns) {
    uint32_t blocks = (bytes + 3) / 4;
    for (; blocks >= 4; blocks -= 4, x += 16, columns += 8) {
        columns[0] = widen(x);
        columns[2] = widen(x + 4);
        columns[4] = widen(x + 8);
        columns[6] = widen(x + 12);
    }
    for (; blocks != 0; blocks--, x += 4, columns += 2) {
        *columns = widen(x);
    }
    return columns;
}

/* As many columns of padding. */
static inline quad_t *gather_padding(int8_t zero_point, uint32_t bytes, quad_t *columns) {
    const uint32_t word = 0x10001u * (uint16_t)zero_point;
    for (uint32_t i = 0; i < bytes; i += 4, columns += 2) {
        columns->words[0] = columns->words[1] = word;
    }
    return columns;
}

/* A run of taps that starts at `column` of an image's row and sticks out on one side or both. */
static quad_t *gather_border(const aot_conv_s8_t *layer, const int8_t *row, int32_t column, quad_t *columns) {
    const int32_t channels = layer->window.input_channels;
    const int8_t zero_point = layer->input_zero_point;
    int8_t inputs[4];
    uint32_t filled = 0;
    for (int32_t end = column + (int32_t)layer->run_taps; column < end; column++) {
        const bool inside = column >= 0 && column < layer->window.input_width;
        const int8_t *pixel = row + column * channels;
        if (channels % 4 == 0) {
            columns = inside ? gather_inputs(pixel, (uint32_t)channels, columns)
                             : gather_padding(zero_point, (uint32_t)channels, columns);
            continue;
        }
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

/* What the windows of two output pixels see that are one tap each. The order matters: see the header. */
static inline void gather_taps(const int8_t *a, const int8_t *b, uint32_t blocks, block_t *columns) {
    for (; blocks >= 2; blocks -= 2, a += 8, b += 8, columns += 2) {
        columns[0] = (block_t){widen(a), widen(b)};
        columns[1] = (block_t){widen(a + 4), widen(b + 4)};
    }
    if (blocks != 0) {
        *columns = (block_t){widen(a), widen(b)};
    }
}

/* What the window of the output pixel at row i, column j sees. */
static void gather(const aot_conv_s8_t *layer, const int8_t *x, int32_t i, int32_t j, quad_t *columns) {
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

/* Where two output pixels go, a and b. */
typedef struct {
    int8_t *a, *b;
    const int8_t *skip_a, *skip_b; /* with a residual: the pixels that it adds, or NULL */
    aot_residual_t residual;       /* a copy survives the writes to a and b */
} pixels_t;

/* One channel of a pixel, `conv`, as the residual leaves it. */
static inline __attribute__((always_inline)) int8_t summed(const pixels_t *to, int32_t skip, int32_t conv) {
    const aot_residual_t *r = &to->residual;
    const int32_t sum = aot_addend(skip, &r->skip) + aot_addend(conv, &r->conv);
    return (int8_t)aot_clamp(aot_requantise(sum, r->scale, 2 * r->zero_point + 1), r->minimum, r->maximum);
}

/*
 * Stores one channel of both pixels with their residual. No pixel is written before both are summed: they may be one.
 */
static __attribute__((noinline, flatten)) void store_summed(const pixels_t *to, uint32_t channel, int32_t a,
                                                            int32_t b) {
    const int8_t sum_a = summed(to, to->skip_a[channel], a);
    const int8_t sum_b = summed(to, to->skip_b[channel], b);
    to->a[channel] = sum_a;
    to->b[channel] = sum_b;
}

/* Stores one channel of both pixels from twice the sums of their products. */
static inline __attribute__((always_inline)) void store(aot_channel_t channel, int32_t twice_a, int32_t twice_b,
                                                        int32_t twice_zero_point_plus_one, const pixels_t *to,
                                                        bool residual) {
    const int32_t offset = aot_channel_offset(&channel, twice_zero_point_plus_one);
    const int32_t a = aot_stored_s8(channel.twice_bias + twice_a, &channel, offset);
    const int32_t b = aot_stored_s8(channel.twice_bias + twice_b, &channel, offset);
    if (residual) {
        store_summed(to, channel.output, a, b);
    } else {
        to->a[channel.output] = (int8_t)a;
        to->b[channel.output] = (int8_t)b;
    }
}

/* All channels of two output pixels. Inlined below with and without a residual. */
static inline __attribute__((always_inline)) void two_pixels(const aot_conv_s8_t *layer, const block_t *columns,
                                                             const pixels_t *to, bool residual) {
    const int16_t *weights = layer->weights;
    const aot_channel_t *channel = layer->channels;
    const uint32_t blocks = layer->blocks;
    const int32_t twice_zero_point_plus_one = 2 * layer->zero_point + 1;
    for (uint32_t left = layer->rows; left != 0; left -= 2, channel += 2) {
        int32_t twice[4];
        weights = two_rows(weights, columns, blocks, twice);
        store(channel[0], twice[0], twice[2], twice_zero_point_plus_one, to, residual);
        if (left == 1) {
            break;
        }
        store(channel[1], twice[1], twice[3], twice_zero_point_plus_one, to, residual);
    }
}

/* Functions of their own, because the registers suffice for either of them alone. */
static __attribute__((noinline)) void two_plain_pixels(const aot_conv_s8_t *layer, const block_t *columns, int8_t *a,
                                                       int8_t *b) {
    const pixels_t to = {.a = a, .b = b};
    two_pixels(layer, columns, &to, false);
}

static __attribute__((noinline)) void two_summed_pixels(const aot_conv_s8_t *layer, const block_t *columns,
                                                        const pixels_t *to) {
    two_pixels(layer, columns, to, true);
    for (uint32_t i = 0; i < layer->constant_count; i++) {
        const aot_constant_t constant = layer->constants[i];
        store_summed(to, constant.output, constant.value, constant.value);
    }
}

/* What the windows of the output pixels number `first` and `second` (which may be the same) see. */
static void gather_two(const aot_conv_s8_t *layer, const int8_t *x, int32_t first, int32_t second, block_t *columns) {
    const aot_window_t *window = &layer->window;
    const int32_t width = window->output_width;
    if (window->kernel_height == 1 && window->kernel_width == 1) { /* never sticks out */
        const int32_t row = window->stride_height * window->input_width * window->input_channels;
        const int32_t column = window->stride_width * window->input_channels;
        gather_taps(x + first / width * row + first % width * column,
                    x + second / width * row + second % width * column, layer->blocks, columns);
        return;
    }
    gather(layer, x, first / width, first % width, &columns->a);
    gather(layer, x, second / width, second % width, &columns->b);
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
        gather_two(layer, x, a, b, scratch);
        two_plain_pixels(layer, scratch, y + a * channels, y + b * channels);
    }
    aot_store_constants(layer->constants, layer->constant_count, (uint32_t)pixels, (uint32_t)channels, y);
    limit(layer, y, (uint32_t)(pixels * channels));
}

void aot_conv_add_s8(const aot_conv_s8_t *layer, const int8_t *skip, const int8_t *x, int8_t *y, void *scratch) {
    const int32_t channels = layer->window.output_channels;
    const int32_t pixels = layer->window.output_width * layer->window.output_height;
    pixels_t to = {.residual = *layer->residual};
    for (int32_t a = 0; a < pixels; a += 2) {
        const int32_t b = a + 1 < pixels ? a + 1 : a;
        gather_two(layer, x, a, b, scratch);
        to.a = y + a * channels;
        to.b = y + b * channels;
        to.skip_a = skip + a * channels;
        to.skip_b = skip + b * channels;
        two_summed_pixels(layer, scratch, &to);
    }
}

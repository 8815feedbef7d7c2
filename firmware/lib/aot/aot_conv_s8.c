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
 * Widens `rows` times so many blocks of inputs, `step` inputs apart, into the columns of one pixel: `columns` is its
 * quad in the first block.
 */
static __attribute__((noinline)) void gather_inside(const int8_t *x, uint32_t blocks, uint32_t rows, uint32_t step,
                                                    quad_t *columns) {
    for (; rows != 0; rows--, x += step) {
        const int8_t *next = x;
        uint32_t left = blocks;
        for (; left >= 4; left -= 4, next += 16, columns += 8) {
            columns[0] = widen(next);
            columns[2] = widen(next + 4);
            columns[4] = widen(next + 8);
            columns[6] = widen(next + 12);
        }
        for (; left != 0; left--, next += 4, columns += 2) {
            *columns = widen(next);
        }
    }
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

/*
 * What a window sees of one row of the image; `x` is where its first tap is, at `column`. It may stick out on one side
 * or both, and the whole row may be outside.
 */
static __attribute__((noinline)) quad_t *gather_row(const aot_conv_s8_t *layer, const int8_t *x, bool inside,
                                                    int32_t column, quad_t *columns) {
    const aot_window_t *window = &layer->window;
    const int32_t channels = window->input_channels, taps = (int32_t)layer->run_taps;
    const uint32_t padding = 0x10001u * (uint16_t)layer->input_zero_point;
    for (int32_t l = window->kernel_width; l > 0; l -= taps) {
        /* Of the run's bytes, those that are inside the image. */
        const int32_t low = -column * channels, high = inside ? low + window->input_width * channels : 0;
        for (int32_t i = 0; i < taps * channels; i += 4, columns += 2) {
            if (i >= low && i + 4 <= high) {
                *columns = widen(x + i);
                continue;
            }
            columns->words[0] = columns->words[1] = padding;
            for (int32_t n = i < low ? low : i; n < i + 4 && n < high; n++) {
                columns->columns[(n & 1) * 2 + (n & 2) / 2] = x[n]; /* in the order 0, 2, 1, 3 */
            }
        }
        column += window->dilation_width;
        x += window->dilation_width * channels;
    }
    return columns;
}

/* What the window of the output pixel at row i, column j sees. */
static void gather(const aot_conv_s8_t *layer, const int8_t *x, int32_t i, int32_t j, quad_t *columns) {
    const aot_window_t *window = &layer->window;
    const int32_t channels = window->input_channels, width = window->input_width;
    const int32_t column = j * window->stride_width - window->pad_left;
    int32_t row = i * window->stride_height - window->pad_top;
    const int32_t step = window->dilation_height * width * channels, taps = (int32_t)layer->run_taps;
    const uint32_t rows = window->kernel_height;
    x += (row * width + column) * channels;
    if (row >= 0 && column >= 0 && row + (int32_t)(rows - 1) * window->dilation_height < window->input_height &&
        column + taps <= width && taps == window->kernel_width) {
        gather_inside(x, (uint32_t)(taps * channels + 3) / 4, rows, (uint32_t)step, columns);
        return;
    }
    for (uint32_t k = rows; k != 0; k--) {
        columns = gather_row(layer, x, row >= 0 && row < window->input_height, column, columns);
        row += window->dilation_height;
        x += step;
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

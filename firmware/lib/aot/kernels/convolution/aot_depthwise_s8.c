/* DEPTHWISE_CONV_2D on int8. */
#include "aot_depthwise.h"
#include "aot_limit.h"
#include "aot_words.h"

#include <string.h>

/* The data of one channel for the loops over 3 x 3 kernels. */
typedef struct {
    uint32_t outer[3]; /* by kernel row: twice the weights of columns 0 (low half) and 2 (high half) */
    uint32_t middle01; /* twice the weights of column 1 in rows 0 (low half) and 1 (high half) */
    uint32_t middle2;  /* the same in row 2 (high half), and the shift of the channel (low half) */
    int32_t twice_bias;
    int32_t multiplier;
    int32_t offset;          /* aot_channel_offset() */
    uint32_t step;           /* from a pixel of y to the next */
    uint32_t pairs;          /* pairs of neighbours in a row of the output */
    uint32_t rows;           /* rows of the output that are left */
    uint32_t x_skip, y_skip; /* from the end of the pairs of a row to the next row */
} coefficients_t;

static uint32_t halves(int32_t low, int32_t high) {
    return (uint32_t)(uint16_t)low | (uint32_t)high << 16;
}

/* Sets the members that depend only on the layer. */
static inline void set_layer(coefficients_t *k, const aot_depthwise_s8_t *layer) {
    k->step = layer->window.output_channels;
    k->pairs = layer->window.output_width / 2u;
    k->x_skip = layer->plane_width - 2 * k->pairs;
    k->y_skip = (layer->window.output_width & 1u) * k->step;
}

/* Sets the other members. Not inlined, so that it can use all registers. */
static __attribute__((noinline)) void set_channel(coefficients_t *k, const aot_depthwise_s8_t *layer,
                                                  const int8_t *weights, const aot_channel_t *channel) {
    k->outer[0] = halves(2 * weights[0], 2 * weights[2]);
    k->outer[1] = halves(2 * weights[4], 2 * weights[6]);
    k->outer[2] = halves(2 * weights[8], 2 * weights[10]);
    k->middle01 = halves(2 * weights[1], 2 * weights[5]);
    k->middle2 = halves(channel->shift, 2 * weights[9]);
    k->twice_bias = channel->twice_bias;
    k->multiplier = channel->multiplier;
    k->offset = aot_channel_offset(channel, 2 * layer->zero_point + 1);
    k->rows = layer->window.output_height;
}

#if defined(__ARM_FEATURE_DSP) && __ARM_FEATURE_DSP

/*
 * Loads four neighbours of a row from `address`: columns 0 and 2 to r12, columns 1 and 3 to lr. The first output uses
 * columns 0 to 2, the second one columns 1 to 3. r4-r6 hold `outer`; the middle weight is the low half (b) or the high
 * half (t) of r8 = middle01 or r9 = middle2.
 */
#define TWO_OF_ROW(address, outer, middle, half)                                                                       \
    "ldr     r12, " address "\n\t"                                                                                     \
    "sxtb16  lr, r12, ror #8\n\t"                                                                                      \
    "sxtb16  r12, r12\n\t"                                                                                             \
    "smlad   r10, r12, " outer ", r10\n\t"                                                                             \
    "smlab" half "  r10, lr, " middle ", r10\n\t"                                                                      \
    "smlad   r11, lr, " outer ", r11\n\t"                                                                              \
    "smlat" half "  r11, r12, " middle ", r11\n\t"

/* All outputs in pairs of neighbours (at least one pair per row), for a stride of 1. Counts k->rows down. */
static inline void pairs_of_rows(coefficients_t *k, const int8_t *x, uint32_t width, int8_t *y) {
    uint32_t pairs;
    __asm__ volatile("ldm     %[k], {r4, r5, r6, r8, r9}\n"
                     "0:\n\t"
                     "ldr     %[pairs], [%[k], #36]\n"
                     "1:\n\t"
                     "ldr     r10, [%[k], #20]\n\t"             /* twice_bias */
                     "mov     r11, r10\n\t" /* clang-format off */
                     TWO_OF_ROW("[%[x], %[width]]", "r5", "r8", "t")
                     TWO_OF_ROW("[%[x], %[width], lsl #1]", "r6", "r9", "t")
                     TWO_OF_ROW("[%[x]], #2", "r4", "r8", "b") /* clang-format on */
                     "ldrd    r12, lr, [%[k], #24]\n\t"         /* multiplier, offset: aot_stored_s8() twice */
                     "add     lr, lr, r10, asr #31\n\t"
                     "smmlar  r10, r10, r12, lr\n\t"
                     "ldr     lr, [%[k], #28]\n\t"
                     "add     lr, lr, r11, asr #31\n\t"
                     "smmlar  r11, r11, r12, lr\n\t"
                     "ldr     r12, [%[k], #32]\n\t" /* step */
                     "asr     r10, r10, r9\n\t"     /* by the lowest byte of r9 */
                     "ssat    r10, #8, r10, asr #1\n\t"
                     "asr     r11, r11, r9\n\t"
                     "ssat    r11, #8, r11, asr #1\n\t"
                     "strb    r10, [%[y]]\n\t"
                     "strb    r11, [%[y], r12]\n\t"
                     "add     %[y], %[y], r12, lsl #1\n\t"
                     "subs    %[pairs], %[pairs], #1\n\t"
                     "bne     1b\n\t"
                     "ldrd    r12, lr, [%[k], #44]\n\t" /* x_skip, y_skip */
                     "add     %[x], %[x], r12\n\t"
                     "add     %[y], %[y], lr\n\t"
                     "ldr     r12, [%[k], #40]\n\t" /* rows */
                     "subs    r12, r12, #1\n\t"
                     "str     r12, [%[k], #40]\n\t"
                     "bne     0b\n\t"
                     : [x] "+&r"(x), [y] "+&r"(y), [pairs] "=&r"(pairs)
                     : [k] "r"(k), [width] "r"(width)
                     : "r4", "r5", "r6", "r8", "r9", "r10", "r11", "r12", "lr", "cc", "memory");
}

/* `sum` plus twice the products of one row of a window. */
static inline int32_t add_row(const int8_t *x, uint32_t outer, int32_t twice_middle, int32_t sum) {
    uint32_t inputs;
    memcpy(&inputs, x, sizeof inputs);
    uint32_t even;
    __asm__("sxtb16 %0, %1" : "=r"(even) : "r"(inputs));
    __asm__("smlad %0, %1, %2, %0" : "+r"(sum) : "r"(even), "r"(outer));
    return sum + (int8_t)(inputs >> 8) * twice_middle;
}

/* Four weights, widened to 16 bits: columns 0 and 2, and columns 1 and 3. */
typedef struct {
    uint32_t even, odd;
} block_t;

static inline block_t block_of(const int8_t *weights) {
    uint32_t factors;
    block_t block;
    memcpy(&factors, weights, sizeof factors);
    __asm__("sxtb16 %0, %1" : "=r"(block.even) : "r"(factors));
    __asm__("sxtb16 %0, %1, ror #8" : "=r"(block.odd) : "r"(factors));
    return block;
}

/* `sum` plus the products of four inputs and four weights. */
static inline int32_t add_block(const int8_t *x, block_t block, int32_t sum) {
    uint32_t inputs, factors;
    memcpy(&inputs, x, sizeof inputs);
    __asm__("sxtb16 %0, %1" : "=r"(factors) : "r"(inputs));
    __asm__("smlad %0, %1, %2, %0" : "+r"(sum) : "r"(factors), "r"(block.even));
    __asm__("sxtb16 %0, %1, ror #8" : "=r"(factors) : "r"(inputs));
    __asm__("smlad %0, %1, %2, %0" : "+r"(sum) : "r"(factors), "r"(block.odd));
    return sum;
}

#else

typedef struct {
    const int8_t *weights;
} block_t;

static inline block_t block_of(const int8_t *weights) {
    return (block_t){weights};
}

static inline int32_t add_block(const int8_t *x, block_t block, int32_t sum) {
    const int8_t *weights = block.weights;
    return sum + x[0] * weights[0] + x[1] * weights[1] + x[2] * weights[2] + x[3] * weights[3];
}

static inline int32_t add_row(const int8_t *x, uint32_t outer, int32_t twice_middle, int32_t sum) {
    return sum + x[0] * (int16_t)outer + x[1] * twice_middle + x[2] * ((int32_t)outer >> 16);
}

#endif

/* `count` outputs of a row, `stride` inputs apart. */
static inline void single_outputs(const coefficients_t *k, const int8_t *x, uint32_t width, uint32_t stride,
                                  uint32_t count, int8_t *y) {
    const aot_channel_t channel = {0, k->multiplier, (uint16_t)(k->middle2 & 0xffffu), 0};
    const int32_t middle[3] = {(int16_t)k->middle01, (int32_t)k->middle01 >> 16, (int32_t)k->middle2 >> 16};
    for (; count != 0; count--, x += stride, y += k->step) {
        int32_t sum = k->twice_bias;
        for (uint32_t row = 0; row < 3; row++) {
            sum = add_row(x + row * width, k->outer[row], middle[row], sum);
        }
        *y = (int8_t)aot_stored_s8(sum, &channel, k->offset);
    }
}

/*
 * The sums of `count` outputs of a row, one or four, for a kernel of any size. The window of the first one begins at
 * `x`.
 */
static inline __attribute__((always_inline)) void sums_of(const aot_depthwise_s8_t *layer, const int8_t *weights,
                                                          const int8_t *x, uint32_t count, int32_t sums[4]) {
    const uint32_t blocks = layer->row_blocks, stride = layer->window.stride_width;
    const int32_t skip = layer->plane_width - 4 * (int32_t)blocks;
    for (uint32_t rows = layer->kernel_rows; rows != 0; rows--, x += skip) {
        for (uint32_t left = blocks; left != 0; left--, weights += 4, x += 4) {
            const block_t block = block_of(weights);
            sums[0] = add_block(x, block, sums[0]);
            if (count == 4) {
                sums[1] = add_block(x + stride, block, sums[1]);
                sums[2] = add_block(x + 2 * stride, block, sums[2]);
                sums[3] = add_block(x + 3 * stride, block, sums[3]);
            }
        }
    }
}

/* All outputs of one channel, for a kernel of any size. */
static __attribute__((optimize("O2"))) void convolve(const aot_depthwise_s8_t *layer, const int8_t *weights,
                                                     const aot_channel_t *of, const int8_t *plane, int8_t *y) {
    const aot_window_t *window = &layer->window;
    const aot_channel_t channel = *of; /* a copy, which the writes to y cannot change */
    const int32_t offset = aot_channel_offset(&channel, 2 * layer->zero_point + 1);
    const uint32_t stride = window->stride_width, step = window->output_channels;
    for (uint32_t i = window->output_height; i != 0; i--, plane += window->stride_height * layer->plane_width) {
        const int8_t *x = plane;
        for (uint32_t left = window->output_width; left != 0;) {
            int32_t sums[4] = {0};
            const uint32_t count = left >= 4 ? 4 : 1;
            if (count == 4) {
                sums_of(layer, weights, x, 4, sums);
            } else {
                sums_of(layer, weights, x, 1, sums);
            }
            for (uint32_t j = 0; j < count; j++, y += step) {
                *y = (int8_t)aot_stored_s8(channel.twice_bias + 2 * sums[j], &channel, offset);
            }
            left -= count;
            x += count * stride;
        }
    }
}

/* All outputs of one channel, for kernels of 3 x 3. */
static void convolve_3x3(const aot_depthwise_s8_t *layer, coefficients_t *k, const int8_t *plane, int8_t *y) {
    const aot_window_t *window = &layer->window;
    const uint32_t width = layer->plane_width, stride = window->stride_width;
    uint32_t done = 0; /* outputs of each row that are done */
#if defined(__ARM_FEATURE_DSP) && __ARM_FEATURE_DSP
    if (stride == 1 && k->pairs != 0) {
        pairs_of_rows(k, plane, width, y);
        done = 2 * k->pairs;
        if (done == window->output_width) {
            return;
        }
    }
#endif
    for (uint32_t i = 0; i < window->output_height; i++) {
        single_outputs(k, plane + done * stride, width, stride, window->output_width - done, y + done * k->step);
        plane += width * window->stride_height;
        y += window->output_width * k->step;
    }
}

/*
 * Copies one channel of the image into the plane; x points to that channel of the first pixel. Not inlined, so that it
 * can use all registers.
 */
static __attribute__((noinline, optimize("O2"))) void copy_channel(const aot_depthwise_s8_t *layer, const int8_t *x,
                                                                   int8_t *plane) {
    const aot_window_t *window = &layer->window;
    const uint32_t channels = window->input_channels;
    const uint32_t height = window->input_height < layer->plane_height - window->pad_top
                                ? window->input_height
                                : (uint32_t)layer->plane_height - window->pad_top;
    const uint32_t width = window->input_width < layer->plane_width - window->pad_left
                               ? window->input_width
                               : (uint32_t)layer->plane_width - window->pad_left;
    plane += window->pad_top * layer->plane_width + window->pad_left;
    for (uint32_t row = 0; row < height; row++) {
        const int8_t *from = x;
        int8_t *to = plane;
        uint32_t left = width;
        if (channels == 1) {
            for (; left >= 4; left -= 4, from += 4, to += 4) {
                memcpy(to, from, 4);
            }
        }
        for (; left >= 4; left -= 4, from += 4 * channels, to += 4) {
            to[0] = from[0];
            to[1] = from[channels];
            to[2] = from[2 * channels];
            to[3] = from[3 * channels];
        }
        for (; left != 0; left--, from += channels) {
            *to++ = *from;
        }
        x += window->input_width * channels;
        plane += layer->plane_width;
    }
}

void aot_depthwise_s8(const aot_depthwise_s8_t *layer, const int8_t *x, int8_t *y, void *scratch) {
    const aot_window_t *window = &layer->window;
    const uint32_t pixels = (uint32_t)window->output_height * window->output_width;
    int8_t *plane = scratch;
    aot_fill_words(plane, layer->input_zero_point, (uint32_t)layer->plane_height * layer->plane_width);
    coefficients_t k;
    set_layer(&k, layer);
    const int8_t *weights = layer->weights;
    uint32_t copied = UINT32_MAX;
    const uint32_t kernel = 4u * layer->kernel_rows * layer->row_blocks;
    for (uint32_t row = 0; row < layer->rows; row++, weights += kernel) {
        const aot_channel_t *channel = layer->channels + row;
        if (channel->output / layer->multiplier != copied) {
            copied = channel->output / layer->multiplier;
            copy_channel(layer, x + copied, plane);
        }
        if (window->kernel_height <= 3 && window->kernel_width <= 3) {
            set_channel(&k, layer, weights, channel);
            convolve_3x3(layer, &k, plane, y + channel->output);
        } else {
            convolve(layer, weights, channel, plane, y + channel->output);
        }
    }
    aot_store_constants(layer->constants, layer->constant_count, pixels, window->output_channels, y);
    aot_limit_s8(y, pixels * window->output_channels, layer->minimum, layer->maximum);
}

/* CONV_2D on int8 and the ADD after it, with packed weights, two output pixels at a time. */
#include "aot_channel.h"
#include "aot_conv.h"
#include "aot_two_rows.h"

#include <stdbool.h>

/* Two output pixels, a and b. */
typedef struct {
    int8_t *a, *b;
    const int8_t *skip_a, *skip_b; /* the pixels that are added to them */
    aot_residual_t residual;       /* a copy, which the writes to a and b cannot change */
} pixels_t;

/* The sum of one channel of a pixel of the skip image and of the convolution. */
static inline __attribute__((always_inline)) int8_t summed(const pixels_t *to, int32_t skip, int32_t conv) {
    const aot_residual_t *r = &to->residual;
    const int32_t sum = aot_addend(skip, &r->skip) + aot_addend(conv, &r->conv);
    return (int8_t)aot_clamp(aot_requantize(sum, r->scale, 2 * r->zero_point + 1), r->minimum, r->maximum);
}

/*
 * Stores one channel of both pixels with their residual. Computes both sums before it writes, because both pixels may
 * be the same.
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
                                                        int32_t twice_zero_point_plus_one, const pixels_t *to) {
    const int32_t offset = aot_channel_offset(&channel, twice_zero_point_plus_one);
    const int32_t a = aot_stored_s8(channel.twice_bias + twice_a, &channel, offset);
    const int32_t b = aot_stored_s8(channel.twice_bias + twice_b, &channel, offset);
    store_summed(to, channel.output, a, b);
}

/* All channels of two output pixels. */
static __attribute__((noinline)) void two_pixels(const aot_conv_s8_t *layer, const aot_block_t *columns,
                                                 const pixels_t *to) {
    const int16_t *weights = layer->weights;
    const aot_channel_t *channel = layer->channels;
    const uint32_t blocks = layer->blocks;
    const int32_t twice_zero_point_plus_one = 2 * layer->zero_point + 1;
    for (uint32_t left = layer->rows; left != 0; left -= 2, channel += 2) {
        int32_t twice[4];
        weights = two_rows(weights, columns, blocks, twice);
        store(channel[0], twice[0], twice[2], twice_zero_point_plus_one, to);
        if (left == 1) {
            break;
        }
        store(channel[1], twice[1], twice[3], twice_zero_point_plus_one, to);
    }
    for (uint32_t i = 0; i < layer->constant_count; i++) {
        const aot_constant_t constant = layer->constants[i];
        store_summed(to, constant.output, constant.value, constant.value);
    }
}

void aot_conv_add_s8(const aot_conv_s8_t *layer, const int8_t *skip, const int8_t *x, int8_t *y, void *scratch) {
    const int32_t channels = layer->window.output_channels;
    const int32_t pixels = layer->window.output_width * layer->window.output_height;
    pixels_t to = {.residual = *layer->residual};
    aot_walk_t walk = aot_walk(layer, x);
    for (int32_t a = 0; a < pixels; a += 2) {
        const int32_t b = a + 1 < pixels ? a + 1 : a;
        aot_gather_two(&walk, a == b, scratch);
        to.a = y + a * channels;
        to.b = y + b * channels;
        to.skip_a = skip + a * channels;
        to.skip_b = skip + b * channels;
        two_pixels(layer, scratch, &to);
    }
}

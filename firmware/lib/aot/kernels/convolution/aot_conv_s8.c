/*
 * CONV_2D on int8, with packed weights, two output pixels at a time.
 *
 * With few channels or small kernels, an output has few products, and the code around them takes most of the time. So
 * everything from the gathered columns to the stored outputs is in assembler, which keeps all values in registers.
 */
#include "aot_channel.h"
#include "aot_conv.h"
#include "aot_gather.h"
#include "aot_limit.h"
#include "aot_two_rows.h"

#include <stdbool.h>

/* The arguments of two_pixels(). The assembler below depends on the offsets of the members. */
typedef struct {
    const aot_block_t *columns;
    uint32_t laps, tail; /* blocks / 4 and blocks % 4 */
    int32_t zeros[4];
    const aot_channel_t *channels; /* the next channel */
    int32_t twice_zero_point_plus_one;
    int8_t *a, *b;               /* the output pixels */
    const aot_channel_t *paired; /* the end of the channels in pairs of rows */
    const aot_channel_t *end;    /* the end of all channels */
    const int16_t *weights;
} plain_t;

#if defined(__ARM_FEATURE_DSP) && __ARM_FEATURE_DSP

/* One block of two rows, as in aot_two_rows.h. */
#define TWO_ROWS                                                                                                       \
    "ldm.w   r2!, {r4, r5, r6, r7}\n\t"                                                                                \
    "ldm.w   r1!, {r8, r9}\n\t"                                                                                        \
    "smlad   r10, r8, r4, r10\n\t"                                                                                     \
    "smlad   r11, r8, r6, r11\n\t"                                                                                     \
    "sxtb16  r8, r8\n\t"                                                                                               \
    "smlad   r10, r9, r5, r10\n\t"                                                                                     \
    "smlad   r11, r9, r7, r11\n\t"                                                                                     \
    "sxtb16  r9, r9\n\t"                                                                                               \
    "smlad   r12, r8, r4, r12\n\t"                                                                                     \
    "smlad   lr, r8, r6, lr\n\t"                                                                                       \
    "smlad   r12, r9, r5, r12\n\t"                                                                                     \
    "smlad   lr, r9, r7, lr\n"

/* One block of a row without a partner: its weights are the high bytes, and the low bytes are zero. */
#define ONE_ROW                                                                                                        \
    "ldm.w   r2!, {r4, r5, r6, r7}\n\t"                                                                                \
    "ldm.w   r1!, {r8, r9}\n\t"                                                                                        \
    "smlad   r10, r8, r4, r10\n\t"                                                                                     \
    "smlad   r11, r8, r6, r11\n\t"                                                                                     \
    "smlad   r10, r9, r5, r10\n\t"                                                                                     \
    "smlad   r11, r9, r7, r11\n"

/* All blocks: first the remainder of a division by four, then laps of four. */
#define ALL(block)                                                                                                     \
    "ldm.w   r0, {r2, r3, r4, r10, r11, r12, lr}\n\t" /* columns, laps, tail, zeros */                                 \
    "tbb     [pc, r4]\n"                                                                                               \
    "19:\n\t"                                                                                                          \
    ".byte   (15f - 19b) / 2, (14f - 19b) / 2, (13f - 19b) / 2, (12f - 19b) / 2\n"                                     \
    "11:\n\t" block "12:\n\t" block "13:\n\t" block "14:\n\t" block "15:\n\t"                                          \
    "subs    r3, r3, #1\n\t"                                                                                           \
    "bpl     11b\n\t"

/* aot_stored_s8() of one channel for both pixels, with the operand `shift` applied to their sums. r2 is the channel. */
#define STORE(a, b, shift)                                                                                             \
    "ldm.w   r2!, {r3, r4, r5}\n\t"                                                                                    \
    "add     " a ", r3, " a ", " shift "\n\t"                                                                          \
    "add     " b ", r3, " b ", " shift "\n\t"                                                                          \
    "lsl     r9, r6, r5\n\t"                                                                                           \
    "add     r3, r9, " a ", asr #31\n\t"                                                                               \
    "smmlar  " a ", " a ", r4, r3\n\t"                                                                                 \
    "add     r3, r9, " b ", asr #31\n\t"                                                                               \
    "smmlar  " b ", " b ", r4, r3\n\t"                                                                                 \
    "asr     " a ", " a ", r5\n\t" /* by the lowest byte of r5 */                                                      \
    "asr     " b ", " b ", r5\n\t"                                                                                     \
    "ssat    " a ", #8, " a ", asr #1\n\t"                                                                             \
    "ssat    " b ", #8, " b ", asr #1\n\t"                                                                             \
    "lsr     r5, r5, #16\n\t" /* the output */                                                                         \
    "strb    " a ", [r7, r5]\n\t"                                                                                      \
    "strb    " b ", [r8, r5]\n\t"

/* All channels of two pixels. */
static __attribute__((naked, noinline)) void two_pixels(__attribute__((unused)) plain_t *plain) {
    __asm__ volatile(
        "push    {r4, r5, r6, r7, r8, r9, r10, r11, lr}\n\t"
        "ldr     r1, [r0, #52]\n\t" /* weights */
        "ldr     r2, [r0, #28]\n\t" /* channels */
        "ldr     r3, [r0, #44]\n\t" /* paired */
        "cmp     r2, r3\n\t"
        "beq     2f\n"
        "1:\n\t" ALL(TWO_ROWS) "sub     r10, r10, r12\n\t"
                               "sub     r11, r11, lr\n\t"
                               "ldrd    r2, r6, [r0, #28]\n\t" /* channels, twice_zero_point_plus_one */
                               "ldrd    r7, r8, [r0, #36]\n\t" /* a, b */
        STORE("r10", "r11", "asr #7") STORE(
            "r12", "lr",
            "lsl #1") "ldr     r3, [r0, #44]\n\t" /* paired */
                      "str     r2, [r0, #28]\n\t"
                      "cmp     r2, r3\n\t"
                      "bne     1b\n"
                      "2:\n\t"
                      "ldr     r3, [r0, #48]\n\t" /* end */
                      "cmp     r2, r3\n\t"
                      "beq     3f\n\t" ALL(ONE_ROW) "ldrd    r2, r6, [r0, #28]\n\t"
                                                    "ldrd    r7, r8, [r0, #36]\n\t" STORE(
                                                        "r10", "r11",
                                                        "asr #7") "3:\n\t"
                                                                  "pop     {r4, r5, r6, r7, r8, r9, r10, r11, pc}\n\t");
}

#else

/* All channels of two pixels. */
static void two_pixels(plain_t *plain) {
    const int16_t *weights = plain->weights;
    const aot_channel_t *channel = plain->channels;
    while (channel != plain->end) {
        int32_t twice[4];
        weights = two_rows(weights, plain->columns, 4 * plain->laps + plain->tail, twice);
        for (uint32_t row = 0; row < 2 && channel != plain->end; row++, channel++) {
            const int32_t offset = aot_channel_offset(channel, plain->twice_zero_point_plus_one);
            plain->a[channel->output] = (int8_t)aot_stored_s8(channel->twice_bias + twice[row], channel, offset);
            plain->b[channel->output] = (int8_t)aot_stored_s8(channel->twice_bias + twice[row + 2], channel, offset);
        }
    }
}

#endif

void aot_conv_s8(const aot_conv_s8_t *layer, const int8_t *x, int8_t *y, void *scratch) {
    const uint32_t channels = layer->window.output_channels;
    const uint32_t pixels = (uint32_t)layer->window.output_width * layer->window.output_height;
    aot_walk_t walk = aot_walk(layer, x);
    plain_t plain = {
        .columns = scratch,
        .laps = layer->blocks / 4,
        .tail = layer->blocks % 4,
        .twice_zero_point_plus_one = 2 * layer->zero_point + 1,
        .a = y,
        .paired = layer->channels + (layer->rows & ~1u),
        .end = layer->channels + layer->rows,
        .weights = layer->weights,
    };
    for (uint32_t left = pixels; left != 0; left -= left == 1 ? 1 : 2) {
        aot_gather_two(&walk, left == 1, scratch);
        plain.b = left == 1 ? plain.a : plain.a + channels;
        plain.channels = layer->channels;
        two_pixels(&plain);
        plain.a += 2 * channels;
    }
    aot_store_constants(layer->constants, layer->constant_count, pixels, channels, y);
    aot_limit_s8(y, pixels * channels, layer->minimum, layer->maximum);
}

/* DEPTHWISE_CONV_2D on int8, for kernels and strides of any size: four outputs of a row at a time. */
#include "aot_depthwise_channels.h"

#include <stddef.h>

/* One channel. The assembler below depends on the offsets of the members. */
typedef struct {
    int32_t twice_bias, multiplier;
    int32_t offset; /* aot_channel_offset() */
    uint32_t shift;
    const int8_t *weights;
    uint32_t row_blocks; /* blocks of four weights in a row of the kernel */
    const int8_t *end;   /* of the weights */
    int32_t skip;        /* from the end of a row of a window to the next row */
    uint32_t stride;     /* from a window to the next one */
    uint32_t step;       /* from an output to the next one */
} channel_t;

/* One output, whose window begins at x. */
static int8_t output_of(const channel_t *k, const int8_t *x) {
    int32_t sum = 0;
    for (const int8_t *weights = k->weights; weights != k->end; x += k->skip) {
        for (const int8_t *row = weights + 4 * k->row_blocks; weights != row;) {
            sum += *x++ * *weights++;
        }
    }
    const aot_channel_t channel = {0, k->multiplier, (uint16_t)k->shift, 0};
    return (int8_t)aot_stored_s8(k->twice_bias + 2 * sum, &channel, k->offset);
}

#if defined(__ARM_FEATURE_DSP) && __ARM_FEATURE_DSP

/* One block of an output: r4 has the weights of columns 0 and 2, r5 those of columns 1 and 3. */
#define BLOCK(address, sum)                                                                                            \
    "ldr.w   r6, " address "\n\t"                                                                                      \
    "sxtb16  r12, r6\n\t"                                                                                              \
    "sxtb16  r6, r6, ror #8\n\t"                                                                                       \
    "smlad   " sum ", r12, r4, " sum "\n\t"                                                                            \
    "smlad   " sum ", r6, r5, " sum "\n\t"

/* aot_stored_s8(); r4-r7 are the first members of channel_t. */
#define STORE(sum, address)                                                                                            \
    "add     " sum ", r4, " sum ", lsl #1\n\t"                                                                         \
    "add     r12, r6, " sum ", asr #31\n\t"                                                                            \
    "smmlar  " sum ", " sum ", r5, r12\n\t"                                                                            \
    "asr     " sum ", " sum ", r7\n\t"                                                                                 \
    "ssat    " sum ", #8, " sum ", asr #1\n\t"                                                                         \
    "strb    " sum ", " address "\n\t"

/* `count` times four outputs of a row, at least once. The first window begins at x. */
static __attribute__((naked, noinline)) void fours_of_row(__attribute__((unused)) const channel_t *k,
                                                          __attribute__((unused)) const int8_t *x,
                                                          __attribute__((unused)) int8_t *y,
                                                          __attribute__((unused)) uint32_t count) {
    /* clang-format off */
    __asm__ volatile(
        "push    {r4, r5, r6, r7, r8, r9, r10, r11, lr}\n\t"
        "push    {r1, r2, r3}\n"
        "1:\n\t"
        "ldr     r1, [sp]\n\t"      /* x */
        "ldr     r2, [r0, #16]\n\t" /* weights */
        "ldr     r3, [r0, #32]\n\t" /* stride */
        "add     r7, r3, r3, lsl #1\n\t"
        "mov     r8, #0\n\t"
        "mov     r9, #0\n\t"
        "mov     r10, #0\n\t"
        "mov     r11, #0\n"
        "2:\n\t"
        "ldr     lr, [r0, #20]\n" /* row_blocks */
        "3:\n\t"
        "ldr     r5, [r2], #4\n\t"
        "sxtb16  r4, r5\n\t"
        "sxtb16  r5, r5, ror #8\n\t"
        BLOCK("[r1, r3]", "r9")
        BLOCK("[r1, r3, lsl #1]", "r10")
        BLOCK("[r1, r7]", "r11")
        BLOCK("[r1], #4", "r8")
        "subs    lr, lr, #1\n\t"
        "bne     3b\n\t"
        "ldrd    r4, r5, [r0, #24]\n\t" /* end, skip */
        "add     r1, r1, r5\n\t"
        "cmp     r2, r4\n\t"
        "bne     2b\n\t"
        "ldr     r1, [r0, #36]\n\t" /* step */
        "ldr     r2, [sp, #4]\n\t"  /* y */
        "ldm     r0, {r4, r5, r6, r7}\n\t"
        STORE("r8", "[r2]")
        STORE("r9", "[r2, r1]")
        "add     r2, r2, r1, lsl #1\n\t"
        STORE("r10", "[r2]")
        STORE("r11", "[r2, r1]")
        "add     r2, r2, r1, lsl #1\n\t"
        "pop     {r4, r5, r6}\n\t"
        "add     r4, r4, r3, lsl #2\n\t"
        "subs    r6, r6, #1\n\t"
        "push    {r4, r5, r6}\n\t"
        "str     r2, [sp, #4]\n\t"
        "bne     1b\n\t"
        "add     sp, sp, #12\n\t"
        "pop     {r4, r5, r6, r7, r8, r9, r10, r11, pc}\n\t");
    /* clang-format on */
}

#else

/* `count` times four outputs of a row. The first window begins at x. */
static void fours_of_row(const channel_t *k, const int8_t *x, int8_t *y, uint32_t count) {
    for (uint32_t left = 4 * count; left != 0; left--, x += k->stride, y += k->step) {
        *y = output_of(k, x);
    }
}

#endif

/* All outputs of one channel. */
static void convolve(const aot_depthwise_s8_t *layer, const int8_t *weights, const aot_channel_t *channel,
                     const int8_t *plane, int8_t *y, void *state) {
    (void)state;
    const aot_window_t *window = &layer->window;
    const uint32_t blocks = layer->row_blocks, width = window->output_width;
    const channel_t k = {
        .twice_bias = channel->twice_bias,
        .multiplier = channel->multiplier,
        .offset = aot_channel_offset(channel, 2 * layer->zero_point + 1),
        .shift = channel->shift,
        .weights = weights,
        .row_blocks = blocks,
        .end = weights + 4 * blocks * layer->kernel_rows,
        .skip = layer->plane_width - 4 * (int32_t)blocks,
        .stride = window->stride_width,
        .step = window->output_channels,
    };
    for (uint32_t i = window->output_height; i != 0; i--) {
        if (width >= 4) {
            fours_of_row(&k, plane, y, width / 4);
            const uint32_t last = width - 4;
            if (width % 4 != 0) { /* the last four share outputs with those before */
                fours_of_row(&k, plane + last * k.stride, y + last * k.step, 1);
            }
        } else {
            for (uint32_t j = 0; j < width; j++) {
                y[j * k.step] = output_of(&k, plane + j * k.stride);
            }
        }
        plane += window->stride_height * layer->plane_width;
        y += width * k.step;
    }
}

void aot_depthwise_s8(const aot_depthwise_s8_t *layer, const int8_t *x, int8_t *y, void *scratch) {
    aot_depthwise_channels(layer, x, y, scratch, convolve, NULL, layer->minimum);
}

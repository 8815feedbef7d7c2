/*
 * CONV_2D on float32 with one input channel, with additions and roundings in the order of TFLM: four channels of a
 * pixel at a time, and the remaining channels one by one for four pixels at a time.
 *
 * An output has few products here, so the code around them counts. It is in assembler, which keeps all in registers.
 */
#include "aot_conv.h"
#include "aot_float.h"

/* A row of outputs. The assembler below depends on the offsets of the members. Steps are in bytes. */
typedef struct {
    uint32_t rows, columns, step,
        row_skip;            /* of a window: taps, from one to the next, from the end of a row to the next */
    uint32_t stride, y_step; /* from a window and from its outputs to those of the next pixel */
    uint32_t width;          /* pixels */
    float minimum, maximum;
    float most;         /* of a sum of four outputs of which none can be above the maximum */
    const float *zeros; /* four */
} row_t;

#if defined(__ARM_FP) && (__ARM_FP & 4) && defined(__thumb2__)

#define FOUR(instruction, constant)                                                                                    \
    instruction("s0", constant) instruction("s1", constant) instruction("s2", constant) instruction("s3", constant)
#define RAISE(sum, minimum)                                                                                            \
    "vcmp.f32 " sum ", " minimum "\n\tvmrs APSR_nzcv, fpscr\n\tit mi\n\tvmovmi.f32 " sum ", " minimum "\n\t"
#define LOWER(sum, maximum)                                                                                            \
    "vcmp.f32 " sum ", " maximum "\n\tvmrs APSR_nzcv, fpscr\n\tit gt\n\tvmovgt.f32 " sum ", " maximum "\n\t"
/* aot_limit() of s0-s3: s16 is the minimum, s17 the maximum, s18 `most`. */
#define LIMIT                                                                                                          \
    FOUR(RAISE, "s16")                                                                                                 \
    "vadd.f32 s4, s0, s1\n\t"                                                                                          \
    "vadd.f32 s4, s4, s2\n\t"                                                                                          \
    "vadd.f32 s4, s4, s3\n\t"                                                                                          \
    "vcmp.f32 s4, s18\n\t"                                                                                             \
    "vmrs    APSR_nzcv, fpscr\n\t"                                                                                     \
    "bls     3f\n\t" FOUR(LOWER, "s17") "3:\n\t"

/* Four channels of all pixels: `coefficients` are the biases, then the weights of each tap. */
static __attribute__((naked, noinline)) void four_channels(__attribute__((unused)) const row_t *row,
                                                           __attribute__((unused)) const float *coefficients,
                                                           __attribute__((unused)) const float *x,
                                                           __attribute__((unused)) float *y) {
    /* clang-format off */
    __asm__ volatile(
        "push    {r4, r5, r6, r7, r8, r9, r10, lr}\n\t"
        "vpush   {s16-s23}\n\t"
        "vldm    r1!, {s20-s23}\n\t"
        "add     r4, r0, #28\n\t"
        "vldm    r4, {s16-s18}\n\t"    /* minimum, maximum, most */
        "ldr     lr, [r0, #40]\n\t"    /* zeros */
        "ldrd    r8, r9, [r0, #4]\n\t" /* columns, step */
        "ldr     r10, [r0, #12]\n\t"   /* row_skip */
        "ldr     r12, [r0, #24]\n"     /* width */
        "0:\n\t"
        "vldm    lr, {s0-s3}\n\t"
        "mov     r4, r1\n\t"
        "mov     r5, r2\n\t"
        "ldr     r6, [r0]\n" /* rows */
        "1:\n\t"
        "mov     r7, r8\n"
        "2:\n\t"
        "vldr    s4, [r5]\n\t"
        "vldm    r4!, {s8-s11}\n\t"
        "add     r5, r5, r9\n\t"
        "vmul.f32 s8, s8, s4\n\t"
        "vmul.f32 s9, s9, s4\n\t"
        "vmul.f32 s10, s10, s4\n\t"
        "vmul.f32 s11, s11, s4\n\t"
        "vadd.f32 s0, s0, s8\n\t"
        "vadd.f32 s1, s1, s9\n\t"
        "vadd.f32 s2, s2, s10\n\t"
        "vadd.f32 s3, s3, s11\n\t"
        "subs    r7, r7, #1\n\t"
        "bne     2b\n\t"
        "subs    r6, r6, #1\n\t"
        "itt     ne\n\t"
        "addne   r5, r5, r10\n\t"
        "bne     1b\n\t"
        "vadd.f32 s0, s0, s20\n\t"
        "vadd.f32 s1, s1, s21\n\t"
        "vadd.f32 s2, s2, s22\n\t"
        "vadd.f32 s3, s3, s23\n\t"
        LIMIT
        "vstm    r3, {s0-s3}\n\t"
        "ldrd    r6, r7, [r0, #16]\n\t" /* stride, y_step */
        "add     r2, r2, r6\n\t"
        "add     r3, r3, r7\n\t"
        "subs    r12, r12, #1\n\t"
        "bne     0b\n\t"
        "vpop    {s16-s23}\n\t"
        "pop     {r4, r5, r6, r7, r8, r9, r10, pc}\n\t");
    /* clang-format on */
}

/*
 * Two channels of all pixels, at least two, and one channel of all pixels, at least four; without dilation along the
 * row. So many pixels are computed at a time: `count` = 2^`shift`. r5 is the stride, r6 is y_step, r12 counts the
 * pixels.
 */
#define NEXT_PIXELS(count, shift)                                                                                      \
    "subs    r12, r12, #" count "\n\t"                                                                                 \
    "cmp     r12, #" count "\n\t"                                                                                      \
    "ittt    hs\n\t"                                                                                                   \
    "addhs   r2, r2, r5, lsl #" shift "\n\t"                                                                           \
    "addhs   r3, r3, r6, lsl #" shift "\n\t"                                                                           \
    "bhs     0b\n\t"                                                                                                   \
    "cmp     r12, #0\n\t" /* if not, the last pixels share some with those before */                                   \
    "beq     5f\n\t"                                                                                                   \
    "mla     r2, r12, r5, r2\n\t"                                                                                      \
    "mla     r3, r12, r6, r3\n\t"                                                                                      \
    "mov     r12, #" count "\n\t"                                                                                      \
    "b       0b\n"                                                                                                     \
    "5:\n\t"

static __attribute__((naked, noinline)) void two_channels(__attribute__((unused)) const row_t *row,
                                                          __attribute__((unused)) const float *coefficients,
                                                          __attribute__((unused)) const float *x,
                                                          __attribute__((unused)) float *y) {
    /* clang-format off */
    __asm__ volatile(
        "push    {r4, r5, r6, r7, r8, r9, r10, lr}\n\t"
        "vpush   {s16-s21}\n\t"
        "vldm    r1!, {s20-s21}\n\t"
        "add     r4, r0, #28\n\t"
        "vldm    r4, {s16-s18}\n\t"  /* minimum, maximum, most */
        "ldr     r10, [r0, #40]\n\t" /* zeros */
        "ldr     lr, [r0, #4]\n\t"   /* columns */
        "ldr     r9, [r0, #12]\n\t"  /* row_skip */
        "ldr     r12, [r0, #24]\n"   /* width */
        "0:\n\t"
        "vldm    r10, {s0-s3}\n\t"
        "ldr     r8, [r0, #16]\n\t" /* stride */
        "mov     r4, r1\n\t"
        "mov     r5, r2\n\t"
        "add     r8, r8, r2\n\t"
        "ldr     r6, [r0]\n" /* rows */
        "1:\n\t"
        "mov     r7, lr\n"
        "2:\n\t"
        "vldm    r5!, {s4}\n\t"
        "vldm    r8!, {s5}\n\t"
        "vldm    r4!, {s8-s9}\n\t"
        "vmul.f32 s10, s4, s8\n\t"
        "vmul.f32 s11, s4, s9\n\t"
        "vmul.f32 s12, s5, s8\n\t"
        "vmul.f32 s13, s5, s9\n\t"
        "vadd.f32 s0, s0, s10\n\t"
        "vadd.f32 s1, s1, s11\n\t"
        "vadd.f32 s2, s2, s12\n\t"
        "vadd.f32 s3, s3, s13\n\t"
        "subs    r7, r7, #1\n\t"
        "bne     2b\n\t"
        "subs    r6, r6, #1\n\t"
        "ittt    ne\n\t"
        "addne   r5, r5, r9\n\t"
        "addne   r8, r8, r9\n\t"
        "bne     1b\n\t"
        "vadd.f32 s0, s0, s20\n\t"
        "vadd.f32 s1, s1, s21\n\t"
        "vadd.f32 s2, s2, s20\n\t"
        "vadd.f32 s3, s3, s21\n\t"
        LIMIT
        "ldrd    r5, r6, [r0, #16]\n\t" /* stride, y_step */
        "vstm    r3, {s0-s1}\n\t"
        "add     r4, r3, r6\n\t"
        "vstm    r4, {s2-s3}\n\t"
        NEXT_PIXELS("2", "1")
        "vpop    {s16-s21}\n\t"
        "pop     {r4, r5, r6, r7, r8, r9, r10, pc}\n\t");
    /* clang-format on */
}

static __attribute__((naked, noinline)) void one_channel(__attribute__((unused)) const row_t *row,
                                                         __attribute__((unused)) const float *coefficients,
                                                         __attribute__((unused)) const float *x,
                                                         __attribute__((unused)) float *y) {
    /* clang-format off */
    __asm__ volatile(
        "push    {r4, r5, r6, r7, r8, r9, r10, r11, lr}\n\t"
        "vpush   {s16-s19}\n\t"
        "vldm    r1!, {s19}\n\t"
        "add     r4, r0, #28\n\t"
        "vldm    r4, {s16-s18}\n\t"
        "ldr     lr, [r0, #4]\n\t"   /* columns */
        "ldr     r11, [r0, #12]\n\t" /* row_skip */
        "ldr     r12, [r0, #24]\n"   /* width */
        "0:\n\t"
        "ldr     r4, [r0, #40]\n\t" /* zeros */
        "vldm    r4, {s0-s3}\n\t"
        "ldr     r6, [r0, #16]\n\t" /* stride */
        "mov     r4, r1\n\t"
        "mov     r5, r2\n\t"
        "add     r8, r2, r6\n\t"
        "add     r9, r8, r6\n\t"
        "add     r10, r9, r6\n\t"
        "ldr     r6, [r0]\n" /* rows */
        "1:\n\t"
        "mov     r7, lr\n"
        "2:\n\t"
        "vldm    r4!, {s8}\n\t"
        "vldm    r5!, {s4}\n\t"
        "vldm    r8!, {s5}\n\t"
        "vldm    r9!, {s6}\n\t"
        "vldm    r10!, {s7}\n\t"
        "vmul.f32 s4, s4, s8\n\t"
        "vmul.f32 s5, s5, s8\n\t"
        "vmul.f32 s6, s6, s8\n\t"
        "vmul.f32 s7, s7, s8\n\t"
        "vadd.f32 s0, s0, s4\n\t"
        "vadd.f32 s1, s1, s5\n\t"
        "vadd.f32 s2, s2, s6\n\t"
        "vadd.f32 s3, s3, s7\n\t"
        "subs    r7, r7, #1\n\t"
        "bne     2b\n\t"
        "subs    r6, r6, #1\n\t"
        "beq     4f\n\t"
        "add     r5, r5, r11\n\t"
        "add     r8, r8, r11\n\t"
        "add     r9, r9, r11\n\t"
        "add     r10, r10, r11\n\t"
        "b       1b\n"
        "4:\n\t"
        "vadd.f32 s0, s0, s19\n\t"
        "vadd.f32 s1, s1, s19\n\t"
        "vadd.f32 s2, s2, s19\n\t"
        "vadd.f32 s3, s3, s19\n\t"
        LIMIT
        "ldrd    r5, r6, [r0, #16]\n\t" /* stride, y_step */
        "vstr    s0, [r3]\n\t"
        "add     r4, r3, r6\n\t"
        "vstr    s1, [r4]\n\t"
        "add     r4, r4, r6\n\t"
        "vstr    s2, [r4]\n\t"
        "add     r4, r4, r6\n\t"
        "vstr    s3, [r4]\n\t"
        NEXT_PIXELS("4", "2")
        "vpop    {s16-s19}\n\t"
        "pop     {r4, r5, r6, r7, r8, r9, r10, r11, pc}\n\t");
    /* clang-format on */
}

#else

/* `channels` channels of all pixels: the biases, then the weights of each tap. */
static void channels_of(uint32_t channels, const row_t *row, const float *coefficients, const float *x, float *y) {
    const uint32_t step = row->step / sizeof *x;
    for (uint32_t left = row->width; left != 0; left--, x += row->stride / sizeof *x, y += row->y_step / sizeof *y) {
        for (uint32_t i = 0; i < channels; i++) {
            const float *weight = coefficients + channels + i, *at = x;
            float sum = 0.0f;
            for (uint32_t rows = row->rows; rows != 0; rows--, at += (int32_t)row->row_skip / (int32_t)sizeof *x) {
                for (uint32_t columns = row->columns; columns != 0; columns--, at += step, weight += channels) {
                    sum += *at * *weight;
                }
            }
            y[i] = aot_limit(sum + coefficients[i], row->minimum, row->maximum);
        }
    }
}

static void four_channels(const row_t *row, const float *coefficients, const float *x, float *y) {
    channels_of(4, row, coefficients, x, y);
}

static void two_channels(const row_t *row, const float *coefficients, const float *x, float *y) {
    channels_of(2, row, coefficients, x, y);
}

static void one_channel(const row_t *row, const float *coefficients, const float *x, float *y) {
    channels_of(1, row, coefficients, x, y);
}

#endif

/* `rows` rows of a tile. */
static void outputs_of_tile(const void *of, const void *tile, uint32_t rows, void *y) {
    const aot_conv_f32_small_t *layer = of;
    const aot_window_t *window = &layer->window;
    const uint32_t pitch = layer->tiles.pitch, outputs = window->output_channels;
    const uint32_t step = sizeof(float) * window->dilation_width;
    static const float zeros[4] = {0.0f, 0.0f, 0.0f, 0.0f};
    const row_t row = {
        .rows = window->kernel_height,
        .columns = window->kernel_width,
        .step = step,
        .row_skip = window->dilation_height * pitch - window->kernel_width * step,
        .stride = sizeof(float) * window->stride_width,
        .y_step = sizeof(float) * outputs,
        .width = layer->tiles.width,
        .minimum = layer->minimum,
        .maximum = layer->maximum,
        .most = layer->most,
        .zeros = zeros,
    };
    const uint32_t size = 1 + row.rows * row.columns;
    const float *x = tile;
    for (float *to = y; rows != 0; rows--, x += window->stride_height * (pitch / sizeof *x)) {
        const float *coefficients = layer->coefficients;
        for (uint32_t left = outputs / 4; left != 0; left--, coefficients += 4 * size) {
            four_channels(&row, coefficients, x, to);
            to += 4;
        }
        if (outputs % 4 >= 2) {
            two_channels(&row, coefficients, x, to);
            coefficients += 2 * size;
            to += 2;
        }
        if (outputs % 2 != 0) {
            one_channel(&row, coefficients, x, to);
            to++;
        }
        to += (window->output_width - 1u) * outputs;
    }
}

void aot_conv_f32_small(const aot_conv_f32_small_t *layer, const float *x, float *y) {
    outputs_of_tile(layer, x, layer->window.output_height, y);
}

void aot_conv_f32_small_padded(const aot_conv_f32_small_t *layer, const float *x, float *y, void *scratch) {
    const aot_window_t *window = &layer->window;
    aot_each_tile(window, &layer->tiles, x, sizeof *x, 0, aot_copy_words, scratch, outputs_of_tile, layer, y,
                  (int32_t)sizeof *y * window->output_channels);
}

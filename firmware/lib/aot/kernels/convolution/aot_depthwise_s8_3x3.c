/*
 * DEPTHWISE_CONV_2D on int8 with kernels of 3 x 3: two neighbours of a row at a time, which share what they load.
 */
#include "aot_depthwise_channels.h"

#include <stdbool.h>

#if defined(__ARM_FEATURE_DSP) && __ARM_FEATURE_DSP

#define INLINE inline __attribute__((always_inline))

/* One channel. The assembler below depends on the offsets of the members. */
typedef struct {
    uint32_t outer[3]; /* by kernel row: twice the weights of columns 0 (low half) and 2 (high half) */
    uint32_t middle01; /* twice the weights of column 1 in rows 0 (low half) and 1 (high half) */
    uint32_t middle2;  /* the same in row 2 (high half), and the shift of the channel (low half) */
    int32_t twice_bias;
    int32_t multiplier;
    int32_t offset;          /* aot_channel_offset() */
    uint32_t step;           /* from a pixel of y to the next */
    uint32_t pairs;          /* pairs of neighbours in a row of the output, at least one */
    const int8_t *end;       /* y after the last row */
    uint32_t x_skip, y_skip; /* from the end of the pairs of a row to the next row */
} channel_t;

/*
 * Loads four neighbours of a row from `address`: columns 0 and 2 to r12, columns 1 and 3 to lr. The first output of a
 * pair, r10, uses columns 0 to 2. r4-r6 hold `outer`; the middle weight is the low half (b) or the high half (t) of r8
 * = middle01 or r9 = middle2. The second output adds its first product to `sum`, its others to r11.
 */
#define LOAD(address)                                                                                                  \
    "ldr     r12, " address "\n\t"                                                                                     \
    "sxtb16  lr, r12, ror #8\n\t"                                                                                      \
    "sxtb16  r12, r12\n\t"
#define FIRST(outer, middle, half)                                                                                     \
    "smlad   r10, r12, " outer ", r10\n\t"                                                                             \
    "smlab" half "  r10, lr, " middle ", r10\n\t"
/* With a stride of 1, the second output uses columns 1 to 3. */
#define ROW_OF_STRIDE_1(address, outer, middle, half, sum)                                                             \
    LOAD(address)                                                                                                      \
    "smlad   r11, lr, " outer ", " sum "\n\tsmlat" half "  r11, r12, " middle ", r11\n\t" FIRST(outer, middle, half)
/* With a stride of 2, it uses column 3 for its middle, and columns 2 and 4, which are loaded from `address` + 2. */
#define ROW_OF_STRIDE_2(address, outer, middle, half, sum)                                                             \
    LOAD(address) "smlat" half "  r11, lr, " middle ", " sum "\n\t" FIRST(outer, middle, half)
#define REST_OF_STRIDE_2(address, outer)                                                                               \
    "ldr     r12, " address "\n\t"                                                                                     \
    "sxtb16  r12, r12\n\t"                                                                                             \
    "smlad   r11, r12, " outer ", r11\n\t"

#define PAIR_OF_STRIDE_1                                                                                               \
    ROW_OF_STRIDE_1("[%[x], %[width]]", "r5", "r8", "t", "r10")                                                        \
    ROW_OF_STRIDE_1("[%[x], %[width], lsl #1]", "r6", "r9", "t", "r11")                                                \
    ROW_OF_STRIDE_1("[%[x]], #2", "r4", "r8", "b", "r11")
#define PAIR_OF_STRIDE_2                                                                                               \
    ROW_OF_STRIDE_2("[%[x], %[width]]", "r5", "r8", "t", "r10")                                                        \
    ROW_OF_STRIDE_2("[%[x], %[width], lsl #1]", "r6", "r9", "t", "r11")                                                \
    ROW_OF_STRIDE_2("[%[x]], #2", "r4", "r8", "b", "r11")                                                              \
    REST_OF_STRIDE_2("[%[x], %[width]]", "r5")                                                                         \
    REST_OF_STRIDE_2("[%[x], %[width], lsl #1]", "r6")                                                                 \
    REST_OF_STRIDE_2("[%[x]], #2", "r4")

/* aot_stored_s8() of r10 and r11, but for the last shifts; r12 is the multiplier, lr the offset. */
#define LINEAR                                                                                                         \
    "add     lr, lr, r10, asr #31\n\t"                                                                                 \
    "smmlar  r10, r10, r12, lr\n\t"                                                                                    \
    "ldr     lr, [%[k], #28]\n\t"                                                                                      \
    "add     lr, lr, r11, asr #31\n\t"                                                                                 \
    "smmlar  r11, r11, r12, lr\n\t"
/* The same for sums that are raised to 0 before. */
#define RELU                                                                                                           \
    "bic     r10, r10, r10, asr #31\n\t"                                                                               \
    "smmlar  r10, r10, r12, lr\n\t"                                                                                    \
    "bic     r11, r11, r11, asr #31\n\t"                                                                               \
    "smmlar  r11, r11, r12, lr\n\t"

/* A function for the pairs of all rows. */
#define PAIRS_OF_ROWS(name, pair, activation)                                                                          \
    static __attribute__((noinline)) void name(const channel_t *k, const int8_t *x, uint32_t width, int8_t *y) {       \
        uint32_t pairs;                                                                                                \
        __asm__ volatile("ldm     %[k], {r4, r5, r6, r8, r9}\n"                                                        \
                         "0:\n\t"                                                                                      \
                         "ldr     %[pairs], [%[k], #36]\n"                                                             \
                         "1:\n\t"                                                                                      \
                         "ldr     r10, [%[k], #20]\n\t" /* twice_bias */ pair                                          \
                         "ldrd    r12, lr, [%[k], #24]\n\t" /* multiplier, offset */ activation                        \
                         "ldr     r12, [%[k], #32]\n\t" /* step */                                                     \
                         "asr     r10, r10, r9\n\t"     /* by the lowest byte of r9 */                                 \
                         "ssat    r10, #8, r10, asr #1\n\t"                                                            \
                         "asr     r11, r11, r9\n\t"                                                                    \
                         "ssat    r11, #8, r11, asr #1\n\t"                                                            \
                         "strb    r10, [%[y]]\n\t"                                                                     \
                         "strb    r11, [%[y], r12]\n\t"                                                                \
                         "add     %[y], %[y], r12, lsl #1\n\t"                                                         \
                         "subs    %[pairs], %[pairs], #1\n\t"                                                          \
                         "bne     1b\n\t"                                                                              \
                         "ldrd    r12, lr, [%[k], #44]\n\t" /* x_skip, y_skip */                                       \
                         "add     %[x], %[x], r12\n\t"                                                                 \
                         "add     %[y], %[y], lr\n\t"                                                                  \
                         "ldr     r12, [%[k], #40]\n\t" /* end */                                                      \
                         "cmp     %[y], r12\n\t"                                                                       \
                         "bne     0b\n\t"                                                                              \
                         : [x] "+&r"(x), [y] "+&r"(y), [pairs] "=&r"(pairs)                                            \
                         : [k] "r"(k), [width] "r"(width)                                                              \
                         : "r4", "r5", "r6", "r8", "r9", "r10", "r11", "r12", "lr", "cc", "memory");                   \
    }

PAIRS_OF_ROWS(linear_pairs_1, PAIR_OF_STRIDE_1, LINEAR)
PAIRS_OF_ROWS(linear_pairs_2, PAIR_OF_STRIDE_2, LINEAR)
PAIRS_OF_ROWS(relu_pairs_1, PAIR_OF_STRIDE_1, RELU)
PAIRS_OF_ROWS(relu_pairs_2, PAIR_OF_STRIDE_2, RELU)

/* Sets the members that depend only on the layer, for `pairs` pairs in a row. */
static inline void set_pairs(channel_t *k, const aot_depthwise_s8_t *layer, uint32_t pairs) {
    const aot_window_t *window = &layer->window;
    k->step = window->output_channels;
    k->pairs = pairs;
    k->x_skip = window->stride_height * layer->plane_width - 2 * window->stride_width * pairs;
    k->y_skip = (window->output_width - 2 * pairs) * k->step;
}

static uint32_t halves(int32_t low, int32_t high) {
    return (uint32_t)(uint16_t)low | (uint32_t)high << 16;
}

/* Sets the other members. Not inlined, so that it can use all registers. */
static __attribute__((noinline)) void set_channel(channel_t *k, const aot_depthwise_s8_t *layer, const int8_t *weights,
                                                  const aot_channel_t *channel) {
    k->outer[0] = halves(2 * weights[0], 2 * weights[2]);
    k->outer[1] = halves(2 * weights[4], 2 * weights[6]);
    k->outer[2] = halves(2 * weights[8], 2 * weights[10]);
    k->middle01 = halves(2 * weights[1], 2 * weights[5]);
    k->middle2 = halves(channel->shift, 2 * weights[9]);
    k->twice_bias = channel->twice_bias;
    k->multiplier = channel->multiplier;
    k->offset = aot_channel_offset(channel, 2 * layer->zero_point + 1);
}

/* The pairs of all rows of the output. */
static INLINE void convolve_pairs(const aot_depthwise_s8_t *layer, channel_t *k, const int8_t *plane, int8_t *y,
                                  bool relu) {
    const aot_window_t *window = &layer->window;
    k->end = y + window->output_height * window->output_width * k->step;
    if (window->stride_width == 1) {
        (relu ? relu_pairs_1 : linear_pairs_1)(k, plane, layer->plane_width, y);
    } else {
        (relu ? relu_pairs_2 : linear_pairs_2)(k, plane, layer->plane_width, y);
    }
}

/* All outputs of one channel. */
static INLINE void convolve(const aot_depthwise_s8_t *layer, const int8_t *weights, const aot_channel_t *channel,
                            const int8_t *plane, int8_t *y, channel_t *k, bool relu) {
    const uint32_t width = layer->window.output_width;
    set_channel(k, layer, weights, channel);
    convolve_pairs(layer, k, plane, y, relu);
    if (width % 2 != 0) { /* the last pair shares an output with the one before */
        set_pairs(k, layer, 1);
        convolve_pairs(layer, k, plane + (width - 2) * layer->window.stride_width, y + (width - 2) * k->step, relu);
        set_pairs(k, layer, width / 2);
    }
}

static void convolve_linear(const aot_depthwise_s8_t *layer, const int8_t *weights, const aot_channel_t *channel,
                            const int8_t *plane, int8_t *y, void *state) {
    convolve(layer, weights, channel, plane, y, state, false);
}

static void convolve_relu(const aot_depthwise_s8_t *layer, const int8_t *weights, const aot_channel_t *channel,
                          const int8_t *plane, int8_t *y, void *state) {
    convolve(layer, weights, channel, plane, y, state, true);
}

void aot_depthwise_s8_3x3(const aot_depthwise_s8_t *layer, const int8_t *x, int8_t *y, void *scratch) {
    channel_t k;
    set_pairs(&k, layer, layer->window.output_width / 2u);
    aot_depthwise_channels(layer, x, y, scratch, convolve_linear, &k, layer->minimum);
}

void aot_depthwise_s8_3x3_relu(const aot_depthwise_s8_t *layer, const int8_t *x, int8_t *y, void *scratch) {
    channel_t k;
    set_pairs(&k, layer, layer->window.output_width / 2u);
    aot_depthwise_channels(layer, x, y, scratch, convolve_relu, &k, INT8_MIN);
}

#else

void aot_depthwise_s8_3x3(const aot_depthwise_s8_t *layer, const int8_t *x, int8_t *y, void *scratch) {
    aot_depthwise_s8(layer, x, y, scratch);
}

void aot_depthwise_s8_3x3_relu(const aot_depthwise_s8_t *layer, const int8_t *x, int8_t *y, void *scratch) {
    aot_depthwise_s8(layer, x, y, scratch);
}

#endif

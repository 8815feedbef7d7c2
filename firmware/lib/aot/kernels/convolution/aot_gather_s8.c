/* See aot_gather.h. */
#pragma GCC optimize("O2") /* because it runs for every pixel */
#include "aot_gather.h"
#include "aot_words.h"

#if defined(__ARM_FEATURE_DSP) && __ARM_FEATURE_DSP

static inline aot_quad_t widen_word(uint32_t word) {
    aot_quad_t quad;
    __asm__("sxtb16 %0, %1" : "=r"(quad.words[0]) : "r"(word));
    __asm__("sxtb16 %0, %1, ror #8" : "=r"(quad.words[1]) : "r"(word));
    return quad;
}

static inline aot_quad_t widen(const int8_t *inputs) {
    return widen_word(aot_load_word(inputs));
}

#else

static inline aot_quad_t widen(const int8_t *inputs) {
    return (aot_quad_t){{inputs[0], inputs[2], inputs[1], inputs[3]}};
}

static inline aot_quad_t widen_word(uint32_t word) {
    return (aot_quad_t){{(int8_t)word, (int8_t)(word >> 16), (int8_t)(word >> 8), (int8_t)(word >> 24)}};
}

#endif

aot_walk_t aot_walk(const aot_conv_s8_t *layer, const int8_t *x) {
    const aot_window_t *window = &layer->window;
    const int32_t channels = window->input_channels, width = window->input_width;
    const int32_t rows = window->input_height - (window->kernel_height - 1) * window->dilation_height;
    const int32_t columns = width - (window->kernel_width - 1) * window->dilation_width;
    return (aot_walk_t){
        .at = {x - (window->pad_top * width + window->pad_left) * channels, -window->pad_top, -window->pad_left},
        .left = window->output_width,
        .layer = layer,
        .pixel_step = (uint32_t)(window->stride_width * channels),
        .line_step =
            (uint32_t)((window->stride_height * width - window->output_width * window->stride_width) * channels),
        .inside_rows = rows > 0 ? (uint32_t)rows : 0,
        .inside_columns = columns > 0 ? (uint32_t)columns : 0,
        .step = (uint32_t)window->dilation_width * layer->run_taps * (uint32_t)channels,
        .row_step = (uint32_t)(window->dilation_height * width * channels),
        .runs = window->kernel_width / layer->run_taps,
        .run_columns = layer->run_taps * (uint32_t)channels,
        .run_blocks = (layer->run_taps * (uint32_t)channels + 3) / 4,
    };
}

/* Advances to the next pixel. */
static inline void advance(aot_walk_t *walk) {
    const aot_window_t *window = &walk->layer->window;
    walk->at.column += window->stride_width;
    walk->at.x += walk->pixel_step;
    if (--walk->left == 0) {
        walk->at.x += (int32_t)walk->line_step;
        walk->at.row += window->stride_height;
        walk->at.column = -window->pad_left;
        walk->left = window->output_width;
    }
}

#if defined(__ARM_FEATURE_DSP) && __ARM_FEATURE_DSP

/* Gathers `runs` runs of `blocks` blocks for two pixels; `skip` leads from the end of a run to the next one. Returns
 * the address for the next block. */
static inline aot_block_t *gather_runs(const int8_t *a, const int8_t *b, uint32_t runs, uint32_t blocks, int32_t skip,
                                       aot_block_t *columns) {
    __asm__ volatile("1:\n\t"
                     "mov     r3, %[blocks]\n"
                     "2:\n\t"
                     "ldr     r5, [%[a]], #4\n\t"
                     "ldr     r8, [%[b]], #4\n\t"
                     "sxtb16  r4, r5\n\t"
                     "sxtb16  r5, r5, ror #8\n\t"
                     "sxtb16  r6, r8\n\t"
                     "sxtb16  r8, r8, ror #8\n\t"
                     "stm     %[columns]!, {r4, r5, r6, r8}\n\t"
                     "subs    r3, r3, #1\n\t"
                     "bne     2b\n\t"
                     "add     %[a], %[a], %[skip]\n\t"
                     "add     %[b], %[b], %[skip]\n\t"
                     "subs    %[runs], %[runs], #1\n\t"
                     "bne     1b\n\t"
                     : [a] "+&r"(a), [b] "+&r"(b), [runs] "+&r"(runs), [columns] "+&r"(columns)
                     : [blocks] "r"(blocks), [skip] "r"(skip)
                     : "r3", "r4", "r5", "r6", "r8", "cc", "memory");
    return columns;
}

#else

static aot_block_t *gather_runs(const int8_t *a, const int8_t *b, uint32_t runs, uint32_t blocks, int32_t skip,
                                aot_block_t *columns) {
    for (; runs != 0; runs--, a += skip, b += skip) {
        for (uint32_t left = blocks; left != 0; left--, a += 4, b += 4) {
            *columns++ = (aot_block_t){{widen(a), widen(b)}};
        }
    }
    return columns;
}

#endif

/* Two windows inside the image whose rows are single runs. Not inlined, because it needs all registers. */
static __attribute__((noinline)) void gather_whole_rows(const aot_walk_t *walk, const int8_t *a, const int8_t *b,
                                                        aot_block_t *columns) {
    const uint32_t blocks = walk->run_blocks;
    gather_runs(a, b, walk->layer->window.kernel_height, blocks, (int32_t)(walk->row_step - 4 * blocks), columns);
}

/* The same for several runs per row. */
static __attribute__((noinline)) void gather_parted_rows(const aot_walk_t *walk, const int8_t *a, const int8_t *b,
                                                         aot_block_t *columns) {
    const uint32_t blocks = walk->run_blocks, row_step = walk->row_step;
    const uint32_t rows = walk->layer->window.kernel_height;
    for (uint32_t left = rows; left != 0; left--, a += row_step, b += row_step) {
        columns = gather_runs(a, b, walk->runs, blocks, (int32_t)(walk->step - 4 * blocks), columns);
    }
}

static inline void gather_both_inside(const aot_walk_t *walk, const int8_t *a, const int8_t *b, aot_block_t *columns) {
    if (walk->runs == 1) {
        gather_whole_rows(walk, a, b, columns);
    } else {
        gather_parted_rows(walk, a, b, columns);
    }
}

/*
 * A window that may reach beyond the image; inputs outside are the zero point. `columns` is the pixel's quad in the
 * first block. All rows of the kernel reach out by the same columns, so gather block by block.
 */
static void gather_edge(const aot_walk_t *walk, aot_origin_t at, aot_quad_t *columns) {
    const aot_window_t *window = &walk->layer->window;
    const uint32_t padding = 0x01010101u * (uint8_t)walk->layer->input_zero_point;
    const aot_quad_t outside = widen_word(padding);
    const uint32_t rows = window->kernel_height, row_step = walk->row_step;
    const uint32_t row_quads = 2 * walk->runs * walk->run_blocks;
    /* The first row inside the image, and the first row after these. */
    uint32_t top = 0;
    for (; top < rows && at.row < 0; top++) {
        at.row += window->dilation_height;
        at.x += row_step;
    }
    uint32_t bottom = top;
    for (; bottom < rows && at.row < window->input_height; bottom++) {
        at.row += window->dilation_height;
    }
    /* The columns of the run that are inside the image. */
    int32_t low = -at.column * window->input_channels;
    int32_t high = low + window->input_width * window->input_channels;
    const int32_t count = (int32_t)walk->run_columns, step = (int32_t)walk->step;
    for (uint32_t runs = walk->runs; runs != 0; runs--, at.x += step, low -= step, high -= step) {
        for (int32_t i = 0; i < count; i += 4, columns += 2) {
            const int32_t first = low > i ? low : i, end = high < i + 4 ? high : i + 4;
            const uint32_t seen = first < end ? bottom : top; /* rows from `top` to `seen` */
            const uint32_t skipped = 8 * (uint32_t)(first - i), cut = 8 * (uint32_t)(i + 4 - end);
            const uint32_t mask = first < end ? UINT32_MAX << skipped & UINT32_MAX >> cut : 0;
            const uint32_t padded = padding & ~mask;
            const int8_t *x = at.x + first;
            aot_quad_t *to = columns;
            uint32_t row = 0;
            for (; row < top; row++, to += row_quads) {
                *to = outside;
            }
            for (; row < seen; row++, to += row_quads, x += row_step) {
                *to = widen_word((aot_load_word(x) << skipped & mask) | padded);
            }
            for (; row < rows; row++, to += row_quads) {
                *to = outside;
            }
        }
    }
}

static inline bool is_inside(const aot_walk_t *walk, aot_origin_t at) {
    return (uint32_t)at.row < walk->inside_rows && (uint32_t)at.column < walk->inside_columns;
}

/* Any two pixels. */
static __attribute__((noinline)) void gather_any(aot_walk_t *walk, bool alone, aot_block_t *columns) {
    const aot_origin_t first = walk->at;
    if (!alone) {
        advance(walk);
    }
    const aot_origin_t second = walk->at;
    const bool first_inside = is_inside(walk, first), second_inside = is_inside(walk, second);
    if (first_inside || second_inside) { /* fast enough to do both; a window that is not inside is overwritten */
        gather_both_inside(walk, first_inside ? first.x : second.x, second_inside ? second.x : first.x, columns);
    }
    if (!first_inside) {
        gather_edge(walk, first, &columns->of[0]);
    }
    if (!second_inside) {
        gather_edge(walk, second, &columns->of[1]);
    }
    advance(walk);
}

void aot_gather_two(aot_walk_t *walk, bool alone, aot_block_t *columns) {
    const int8_t *first = walk->at.x, *second = first + walk->pixel_step;
    const int32_t stride = walk->layer->window.stride_width, column = walk->at.column, next = column + stride;
    /* Most pairs are inside the image and not the last ones of their row: take a short cut for these. */
    if (walk->left <= 2 || column < 0 || next >= (int32_t)walk->inside_columns ||
        (uint32_t)walk->at.row >= walk->inside_rows) {
        gather_any(walk, alone, columns);
        return;
    }
    walk->at.x = second + walk->pixel_step;
    walk->at.column = next + stride;
    walk->left -= 2;
    gather_both_inside(walk, first, second, columns);
}

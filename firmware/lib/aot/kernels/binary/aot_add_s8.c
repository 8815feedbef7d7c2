/* ADD and SUB on int8. */
#include "aot_binary.h"
#include "aot_limit.h"

#if defined(__ARM_FEATURE_DSP) && __ARM_FEATURE_DSP

/* Load bytes 1 and 3 of the next words, times 2^8 in each half; LOAD_EVEN does the same with bytes 0 and 2. */
#define LOAD_ODD                                                                                                       \
    "ldr     %[p], [%[a]]\n\t"                                                                                         \
    "ldr     %[q], [%[b]]\n\t"                                                                                         \
    "and     %[p], %[p], #0xff00ff00\n\t"                                                                              \
    "and     %[q], %[q], #0xff00ff00\n\t"
#define LOAD_EVEN                                                                                                      \
    "ldr     %[p], [%[a]], #4\n\t"                                                                                     \
    "ldr     %[q], [%[b]], #4\n\t"                                                                                     \
    "lsl     %[p], %[p], #8\n\t"                                                                                       \
    "lsl     %[q], %[q], #8\n\t"                                                                                       \
    "and     %[p], %[p], #0xff00ff00\n\t"                                                                              \
    "and     %[q], %[q], #0xff00ff00\n\t"

/* aot_sum_s8() of the bottom (b) or top (t) halves. */
#define STORE(half, to)                                                                                                \
    "smlaw" half "  %[sum], %[a_factor], %[p], %[constant]\n\t"                                                        \
    "smlaw" half "  %[sum], %[b_factor], %[q], %[sum]\n\t"                                                             \
    "add     %[sum], %[sum], %[sum], asr #31\n\t"                                                                      \
    "add     %[sum], %[sum], %[rounding]\n\t"                                                                          \
    "asr     %[sum], %[sum], %[shift]\n\t"                                                                             \
    "ssat    %[sum], #8, %[sum]\n\t"                                                                                   \
    "strb    %[sum], " to "\n\t"

/* Adds the whole words of two rows; returns their number of elements. Words are read twice for lack of registers. */
static __attribute__((noinline)) uint32_t add_words(const aot_sum_t *of, uint32_t elements, const int8_t *a,
                                                    const int8_t *b, int8_t *y) {
    const uint32_t done = elements & ~3u;
    const int8_t *end = y + done;
    if (done == 0) {
        return 0;
    }
    int32_t p, q, sum;
    __asm__ volatile("1:\n\t" LOAD_ODD STORE("b", "[%[y], #1]") STORE("t", "[%[y], #3]")
                         LOAD_EVEN STORE("t", "[%[y], #2]") STORE("b", "[%[y]], #4") "cmp     %[y], %[end]\n\t"
                                                                                     "bne     1b\n\t"
                     : [a] "+&r"(a), [b] "+&r"(b), [y] "+&r"(y), [p] "=&r"(p), [q] "=&r"(q), [sum] "=&r"(sum)
                     : [a_factor] "r"(of->a), [b_factor] "r"(of->b), [constant] "r"(of->constant),
                       [rounding] "r"(of->rounding), [shift] "r"(of->shift), [end] "r"(end)
                     : "cc", "memory");
    return done;
}

#else

static uint32_t add_words(const aot_sum_t *of, uint32_t elements, const int8_t *a, const int8_t *b, int8_t *y) {
    (void)of, (void)elements, (void)a, (void)b, (void)y;
    return 0;
}

#endif

static void add_rows(const aot_sum_t *sum, uint32_t elements, const int8_t *a, const int8_t *b, int8_t *y) {
    const aot_sum_t of = *sum; /* a copy, which the writes to y cannot change */
    for (uint32_t i = add_words(sum, elements, a, b, y); i < elements; i++) {
        y[i] = (int8_t)aot_sum_s8(a[i], b[i], &of);
    }
}

/* Adds a row and a constant value, which `constant` includes. */
static void add_constant(const aot_sum_t *of, int32_t factor, int32_t constant, uint32_t elements, const int8_t *x,
                         int8_t *y) {
    const int32_t rounding = of->rounding;
    const uint32_t shift = of->shift;
    for (const int8_t *end = x + elements; x != end; x++, y++) {
        *y = (int8_t)aot_stored_sum(aot_add_weighted(*x, factor, constant), rounding, shift);
    }
}

static void add(const aot_sum_t *of, aot_axis_t inner, const int8_t *a, const int8_t *b, int8_t *y) {
    if (inner.first_step == 0) {
        add_constant(of, of->b, aot_add_weighted(*a, of->a, of->constant), inner.size, b, y);
    } else if (inner.second_step == 0) {
        add_constant(of, of->a, aot_add_weighted(*b, of->b, of->constant), inner.size, a, y);
    } else {
        add_rows(of, inner.size, a, b, y);
    }
}

void aot_add_s8(const aot_add_s8_t *layer, const int8_t *a, const int8_t *b, int8_t *y) {
    const aot_axis_t inner = layer->axes[layer->axis_count - 1];
    int8_t *next = y;
    aot_position_t at = {0};
    do {
        add(&layer->sum, inner, a + at.first, b + at.second, next);
        next += inner.size;
    } while (aot_advance(&at, layer->axes, layer->axis_count - 1));
    aot_limit_s8(y, (uint32_t)(next - y), layer->minimum, layer->maximum);
}

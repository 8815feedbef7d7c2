/* MUL on int8. */
#include "aot_binary.h"
#include "aot_limit.h"
#include "aot_words.h"

/* The stored output for twice the product of the operands less their zero points. */
static inline int32_t stored(int32_t twice_product, int32_t multiplier, int32_t rounding, uint32_t shift) {
    const int32_t scaled = aot_multiply_high_add(twice_product, multiplier, rounding + (twice_product >> 31));
    return aot_saturate_s8(scaled >> shift);
}

#if defined(__ARM_FEATURE_DSP) && __ARM_FEATURE_DSP

/* Values 0 and 2 of a word, less the zero point; odd() returns values 1 and 3. */
static inline uint32_t even(uint32_t word, uint32_t zero_points) {
    uint32_t halves;
    __asm__("sxtb16 %0, %1\n\tssub16 %0, %0, %2" : "=&r"(halves) : "r"(word), "r"(zero_points));
    return halves;
}

static inline uint32_t odd(uint32_t word, uint32_t zero_points) {
    uint32_t halves;
    __asm__("sxtb16 %0, %1, ror #8\n\tssub16 %0, %0, %2" : "=&r"(halves) : "r"(word), "r"(zero_points));
    return halves;
}

#define STORE(i, halves, of_a, of_b)                                                                                   \
    __asm__("smul" halves " %0, %1, %2" : "=r"(product) : "r"(of_a), "r"(of_b));                                       \
    y[i] = (int8_t)stored(2 * product, multiplier, rounding, shift)

/* Multiplies the whole words of two rows; returns their number of elements. */
static __attribute__((noinline)) uint32_t multiply_words(const aot_multiply_s8_t *layer, uint32_t elements,
                                                         const int8_t *a, const int8_t *b, int8_t *y) {
    const uint32_t a_zero = 0x10001u * (uint16_t)layer->a_zero_point, b_zero = 0x10001u * (uint16_t)layer->b_zero_point;
    const int32_t multiplier = layer->multiplier, rounding = layer->rounding;
    const uint32_t shift = layer->shift, done = elements & ~3u;
    for (const int8_t *end = y + done; y != end; y += 4, a += 4, b += 4) {
        const uint32_t a_even = even(aot_load_word(a), a_zero), b_even = even(aot_load_word(b), b_zero);
        const uint32_t a_odd = odd(aot_load_word(a), a_zero), b_odd = odd(aot_load_word(b), b_zero);
        int32_t product;
        STORE(1, "bb", a_odd, b_odd);
        STORE(3, "tt", a_odd, b_odd);
        STORE(0, "bb", a_even, b_even);
        STORE(2, "tt", a_even, b_even);
    }
    return done;
}

#else

static uint32_t multiply_words(const aot_multiply_s8_t *layer, uint32_t elements, const int8_t *a, const int8_t *b,
                               int8_t *y) {
    (void)layer, (void)elements, (void)a, (void)b, (void)y;
    return 0;
}

#endif

static __attribute__((noinline)) void multiply(const aot_multiply_s8_t *layer, const int8_t *a, const int8_t *b,
                                               int8_t *y) {
    const aot_axis_t inner = layer->axes[layer->axis_count - 1];
    const int32_t a_zero = layer->a_zero_point, b_zero = layer->b_zero_point;
    const int32_t multiplier = layer->multiplier, rounding = layer->rounding;
    const uint32_t shift = layer->shift;
    const int8_t *end = y + inner.size;
    if (inner.first_step == inner.second_step) {
        const uint32_t done = multiply_words(layer, inner.size, a, b, y);
        a += done;
        b += done;
        y += done;
    }
    for (; y != end; y++) {
        *y = (int8_t)stored(2 * (*a - a_zero) * (*b - b_zero), multiplier, rounding, shift);
        a += inner.first_step;
        b += inner.second_step;
    }
}

void aot_multiply_s8(const aot_multiply_s8_t *layer, const int8_t *a, const int8_t *b, int8_t *y) {
    const uint32_t elements = layer->axes[layer->axis_count - 1].size;
    int8_t *next = y;
    aot_position_t at = {0};
    do {
        multiply(layer, a + at.first, b + at.second, next);
        next += elements;
    } while (aot_advance(&at, layer->axes, layer->axis_count - 1));
    aot_limit_s8(y, (uint32_t)(next - y), layer->minimum, layer->maximum);
}

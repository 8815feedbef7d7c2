/* ADD and SUB on int8, with a table. */
#include "aot_binary.h"
#include "aot_channel.h"
#include "aot_limit.h"

/* One output; `zero` points to the entry of the table for zero. */
static inline int8_t add(int32_t a, int32_t b, const int32_t *zero, int32_t factor, aot_fraction_t scale,
                         int32_t offset) {
    const int32_t product = aot_multiply_high_32(zero[b] + a * factor, scale.multiplier);
    return (int8_t)aot_saturate_half_s8(((product + (product >> 31)) >> scale.shift) + offset);
}

/* Adds two rows, four elements at a time. */
static __attribute__((noinline)) void add_rows(const aot_add_s8_tabled_t *layer, uint32_t elements, const int8_t *a,
                                               const int8_t *b, int8_t *y) {
    /* Copies, which the writes to y cannot change. */
    const int32_t *zero = layer->table + 128;
    const int32_t factor = layer->factor, offset = 2 * layer->zero_point + 1;
    const aot_fraction_t scale = layer->scale;
    for (const int8_t *end = a + (elements & ~3u); a != end; a += 4, b += 4, y += 4) {
        y[0] = add(a[0], b[0], zero, factor, scale, offset);
        y[1] = add(a[1], b[1], zero, factor, scale, offset);
        y[2] = add(a[2], b[2], zero, factor, scale, offset);
        y[3] = add(a[3], b[3], zero, factor, scale, offset);
    }
    for (uint32_t i = 0; i < elements % 4; i++) {
        y[i] = add(a[i], b[i], zero, factor, scale, offset);
    }
}

/* Adds a row and a constant value. */
static __attribute__((noinline)) void add_constant(const aot_add_s8_tabled_t *layer, aot_axis_t inner, const int8_t *a,
                                                   const int8_t *b, int8_t *y) {
    const int32_t *zero = layer->table + 128;
    const int32_t factor = layer->factor, offset = 2 * layer->zero_point + 1;
    const aot_fraction_t scale = layer->scale;
    for (const int8_t *end = y + inner.size; y != end; y++) {
        *y = add(*a, *b, zero, factor, scale, offset);
        a += inner.first_step;
        b += inner.second_step;
    }
}

void aot_add_s8_tabled(const aot_add_s8_tabled_t *layer, const int8_t *a, const int8_t *b, int8_t *y) {
    const aot_axis_t inner = layer->axes[layer->axis_count - 1];
    int8_t *next = y;
    aot_position_t at = {0};
    do {
        if (inner.first_step == inner.second_step) {
            add_rows(layer, inner.size, a + at.first, b + at.second, next);
        } else {
            add_constant(layer, inner, a + at.first, b + at.second, next);
        }
        next += inner.size;
    } while (aot_advance(&at, layer->axes, layer->axis_count - 1));
    aot_limit_s8(y, (uint32_t)(next - y), layer->minimum, layer->maximum);
}

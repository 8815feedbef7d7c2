/* Operators that only move elements. */
#pragma GCC optimize("O2", "no-tree-loop-distribute-patterns") /* like TFLM, which would be faster otherwise */
#include "aot_copy.h"
#include "aot_float.h"

#include <string.h>

#define INLINE static inline __attribute__((always_inline))

/* Copies a short block. A call of memcpy, which copies single bytes in small C libraries, would cost more. */
INLINE void copy_block(uint8_t *y, const uint8_t *x, uint32_t bytes) {
#if defined(__ARM_FEATURE_UNALIGNED)
    for (; bytes >= 16; bytes -= 16, x += 16, y += 16) {
        memcpy(y, x, 4), memcpy(y + 4, x + 4, 4), memcpy(y + 8, x + 8, 4), memcpy(y + 12, x + 12, 4);
    }
    for (; bytes >= 4; bytes -= 4, x += 4, y += 4) {
        memcpy(y, x, 4);
    }
    for (; bytes != 0; bytes--) {
        *y++ = *x++;
    }
#else
    memcpy(y, x, bytes);
#endif
}

/* Copies `n` blocks; faster if their size is 1, 2 or 4 bytes. */
INLINE void copy_blocks(uint32_t n, uint32_t bytes, const uint8_t *x, int32_t x_step, uint8_t *y, int32_t y_step) {
    if (bytes == 1) {
        AOT_REPEAT(n, *y = *x; x += x_step; y += y_step)
    } else if (bytes == 2) {
        AOT_REPEAT(n, memcpy(y, x, 2); x += x_step; y += y_step)
    } else if (bytes == 4) {
        AOT_REPEAT(n, memcpy(y, x, 4); x += x_step; y += y_step)
    } else {
        for (; n != 0; n--, x += x_step, y += y_step) {
            copy_block(y, x, bytes);
        }
    }
}

static void copy(const aot_axis_t *axes, uint32_t axis_count, uint32_t block, const uint8_t *x, uint8_t *y) {
    const aot_axis_t inner = axes[axis_count - 1], outer = aot_second_axis(axes, axis_count);
    aot_position_t at = {0};
    do {
        const uint8_t *source = x + at.first;
        uint8_t *target = y + at.second;
        for (uint32_t row = outer.size; row != 0; row--, source += outer.first_step, target += outer.second_step) {
            copy_blocks(inner.size, block, source, inner.first_step, target, inner.second_step);
        }
    } while (axis_count > 2 && aot_advance(&at, axes, axis_count - 2));
}

void aot_copy(const aot_copy_t *layer, const void *x, void *y) {
    copy(layer->axes, layer->axis_count, layer->block, (const uint8_t *)x + layer->x_offset,
         (uint8_t *)y + layer->y_offset);
}

/* `value` holds the bits of an element in its lowest bytes, which come first in memory: all cores are little endian. */
static void fill(uint8_t *y, uint32_t elements, uint32_t element_bytes, uint32_t value) {
    if (element_bytes == 1) {
        memset(y, (int)value, elements);
    } else if (element_bytes == 2) {
        AOT_REPEAT(elements, memcpy(y, &value, 2); y += 2)
    } else {
        AOT_REPEAT(elements, memcpy(y, &value, 4); y += 4)
    }
}

void aot_pad(const aot_pad_t *layer, const void *x, void *y) {
    fill(y, layer->elements, layer->element_bytes, layer->fill);
    copy(layer->axes, layer->axis_count, layer->block, (const uint8_t *)x + layer->x_offset,
         (uint8_t *)y + layer->y_offset);
}

INLINE uint32_t sum(const uint32_t *numbers, uint32_t count) {
    uint32_t total = 0;
    for (uint32_t i = 0; i < count; i++) {
        total += numbers[i];
    }
    return total;
}

void aot_concatenate(const aot_concatenate_t *layer, const void *const *inputs, void *y) {
    const uint32_t row_bytes = sum(layer->row_bytes, layer->inputs);
    uint8_t *target = y;
    for (uint32_t i = 0; i < layer->inputs; i++) {
        const uint32_t bytes = layer->row_bytes[i];
        copy_blocks(layer->rows, bytes, inputs[i], (int32_t)bytes, target, (int32_t)row_bytes);
        target += bytes;
    }
}

void aot_split(const aot_split_t *layer, const void *x, void *const *outputs) {
    const uint32_t row_bytes = sum(layer->row_bytes, layer->outputs);
    const uint8_t *source = x;
    for (uint32_t i = 0; i < layer->outputs; i++) {
        const uint32_t bytes = layer->row_bytes[i];
        copy_blocks(layer->rows, bytes, source, (int32_t)row_bytes, outputs[i], (int32_t)bytes);
        source += bytes;
    }
}

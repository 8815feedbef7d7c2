/* Operators that only move elements. */
#include "aot_copy.h"

#include <string.h>

/* The innermost loop. Blocks of one element of the usual types are copied without a call. */
static inline void copy_row(aot_axis_t axis, uint32_t block, const uint8_t *x, uint8_t *y) {
    if (block == 1) {
        for (uint32_t i = 0; i < axis.size; i++, x += axis.first_step, y += axis.second_step) {
            *y = *x;
        }
    } else if (block == 4) {
        for (uint32_t i = 0; i < axis.size; i++, x += axis.first_step, y += axis.second_step) {
            memcpy(y, x, 4);
        }
    } else {
        for (uint32_t i = 0; i < axis.size; i++, x += axis.first_step, y += axis.second_step) {
            memcpy(y, x, block);
        }
    }
}

static void copy(const aot_axis_t *axes, uint32_t axis_count, uint32_t block, const uint8_t *x, uint8_t *y) {
    aot_position_t at = {0};
    do {
        copy_row(axes[axis_count - 1], block, x + at.first, y + at.second);
    } while (aot_advance(&at, axes, axis_count - 1));
}

void aot_copy(const aot_copy_t *layer, const void *x, void *y) {
    copy(layer->axes, layer->axis_count, layer->block, (const uint8_t *)x + layer->x_offset,
         (uint8_t *)y + layer->y_offset);
}

/* `value` holds an element's bits in its lowest bytes, which come first on the cores that this runs on. */
static void fill(uint8_t *y, uint32_t elements, uint32_t element_bytes, uint32_t value) {
    if (element_bytes == 1) {
        memset(y, (int)value, elements);
        return;
    }
    for (uint32_t i = 0; i < elements; i++, y += element_bytes) {
        memcpy(y, &value, element_bytes);
    }
}

void aot_pad(const aot_pad_t *layer, const void *x, void *y) {
    fill(y, layer->elements, layer->element_bytes, layer->fill);
    copy(layer->axes, layer->axis_count, layer->block, (const uint8_t *)x + layer->x_offset,
         (uint8_t *)y + layer->y_offset);
}

void aot_concatenate(const aot_concatenate_t *layer, const void *const *inputs, void *y) {
    uint8_t *target = y;
    for (uint32_t row = 0; row < layer->rows; row++) {
        for (uint32_t i = 0; i < layer->inputs; i++) {
            const uint32_t bytes = layer->row_bytes[i];
            memcpy(target, (const uint8_t *)inputs[i] + row * bytes, bytes);
            target += bytes;
        }
    }
}

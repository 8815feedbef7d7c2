/*
 * One value of a window as an element of the network's input. Inlined, because it is what preparing a window consists
 * of.
 */
#ifndef WINDOWING_ELEMENT_H
#define WINDOWING_ELEMENT_H

#include <stdint.h>

#include "hil_tensor.h"

/*
 * Half to even, as the core rounds by default, for |x| up to 2^22: there 1.5 x 2^23 + x has no fraction bits left. What
 * is larger stays large, which is enough for what is clipped next. Two instructions where rintf() takes fifty.
 */
static inline float round_half_even(float x) {
    const float shift = 0x1.8p23f;
    return (x + shift) - shift;
}

static inline float clip(float x, float lowest, float highest) {
    x = x < lowest ? lowest : x;
    return x > highest ? highest : x;
}

/* What an integer type can hold, and its size. */
typedef struct {
    float lowest, highest;
    uint8_t bytes;
} integer_t;

static inline integer_t integer_of(uint8_t tensor_type) {
    switch (tensor_type) {
    case HIL_INT8:
        return (integer_t){INT8_MIN, INT8_MAX, 1};
    case HIL_UINT8:
        return (integer_t){0, UINT8_MAX, 1};
    case HIL_INT16:
        return (integer_t){INT16_MIN, INT16_MAX, 2};
    default:
        return (integer_t){0, 0, 0};
    }
}

static inline int32_t quantize(float x, float scale, float zero_point, const integer_t *type) {
    return (int32_t)clip(round_half_even(x / scale) + zero_point, type->lowest, type->highest);
}

/* Writes x, quantized for an integer `type`, to element `index` of the tensor; zero_point is the tensor's. */
static inline void put_element(const hil_tensor_t *tensor, const integer_t *type, float zero_point, uint32_t index,
                               float x) {
    if (type->bytes == 1) {
        ((uint8_t *)tensor->data)[index] = (uint8_t)quantize(x, tensor->scale, zero_point, type);
    } else if (type->bytes == 2) {
        ((uint16_t *)tensor->data)[index] = (uint16_t)quantize(x, tensor->scale, zero_point, type);
    } else {
        ((float *)tensor->data)[index] = x;
    }
}

#endif

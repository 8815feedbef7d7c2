/*
 * Writes one value of a window to the network's input. Inlined, because preparing a window consists of little else.
 */
#ifndef WINDOWING_ELEMENT_H
#define WINDOWING_ELEMENT_H

#include <stdint.h>

#include "hil_tensor.h"

/*
 * Rounds half to even, the default rounding of the core, if |x| is at most 2^22: then 1.5 x 2^23 + x has no fraction
 * bits. Larger values stay large, and are clipped next. Takes two instructions; rintf() takes fifty.
 */
static inline float round_half_even(float x) {
    const float shift = 0x1.8p23f;
    return (x + shift) - shift;
}

static inline float clip(float x, float lowest, float highest) {
    x = x < lowest ? lowest : x;
    return x > highest ? highest : x;
}

/* The range and the size of an integer type. */
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

/* Writes x to element `index` of the tensor, quantized if `type` is an integer; zero_point is that of the tensor. */
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

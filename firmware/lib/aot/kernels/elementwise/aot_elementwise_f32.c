/* Limits on float32, and conversion of float32 to and from integers, element by element. */
#pragma GCC optimize("O2") /* like TFLM, which would be faster otherwise */
#include "aot_elementwise.h"
#include "aot_float.h"

void aot_clamp_f32(const aot_clamp_f32_t *layer, const float *x, float *y) {
    const float minimum = layer->minimum, maximum = layer->maximum;
    uint32_t n = layer->elements;
    AOT_REPEAT(n, *y++ = aot_limit(*x++, minimum, maximum))
}

static inline float relu(float x) {
    return x < 0.0f ? 0.0f : x;
}

void aot_relu_f32(const aot_relu_f32_t *layer, const float *x, float *y) {
    uint32_t n = layer->elements;
    AOT_REPEAT(n, *y++ = relu(*x++))
}

/*
 * The integer nearest to value / scale, with halves away from zero, limited to -limit..limit; 0 for NaN.
 *
 * Adding a half and truncating would round 0.49999997, the largest number below a half, to 1, because the sum is
 * rounded up. Adding that number is right: below 2^23, the sum reaches the next integer if and only if the fraction is
 * at least a half.
 */
static inline int32_t divide_and_round(float value, float scale, float limit) {
    const float quotient = value / scale;
    if (__builtin_fabsf(quotient) < limit) {
        return (int32_t)(quotient + __builtin_copysignf(0x1.fffffep-2f, quotient));
    }
    return quotient > 0.0f ? (int32_t)limit : quotient < 0.0f ? -(int32_t)limit : 0;
}

/* Limits beyond the range of the type, for any zero point. */
#define LIMIT_8 512.0f
#define LIMIT_16 131072.0f

void aot_quantize_f32_s8(const aot_quantize_t *layer, const float *x, int8_t *y) {
    const aot_quantize_t of = *layer;
    for (uint32_t i = 0; i < of.elements; i++) {
        y[i] = (int8_t)aot_clamp(divide_and_round(x[i], of.scale, LIMIT_8) + of.zero_point, INT8_MIN, INT8_MAX);
    }
}

void aot_quantize_f32_u8(const aot_quantize_t *layer, const float *x, uint8_t *y) {
    const aot_quantize_t of = *layer;
    for (uint32_t i = 0; i < of.elements; i++) {
        y[i] = (uint8_t)aot_clamp(divide_and_round(x[i], of.scale, LIMIT_8) + of.zero_point, 0, UINT8_MAX);
    }
}

void aot_quantize_f32_s16(const aot_quantize_t *layer, const float *x, int16_t *y) {
    const aot_quantize_t of = *layer;
    for (uint32_t i = 0; i < of.elements; i++) {
        y[i] = (int16_t)aot_clamp(divide_and_round(x[i], of.scale, LIMIT_16) + of.zero_point, INT16_MIN, INT16_MAX);
    }
}

void aot_dequantize_s8_f32(const aot_dequantize_t *layer, const int8_t *x, float *y) {
    const aot_dequantize_t of = *layer;
    for (uint32_t i = 0; i < of.elements; i++) {
        y[i] = of.scale * (float)(x[i] - of.zero_point);
    }
}

void aot_dequantize_u8_f32(const aot_dequantize_t *layer, const uint8_t *x, float *y) {
    const aot_dequantize_t of = *layer;
    for (uint32_t i = 0; i < of.elements; i++) {
        y[i] = of.scale * (float)(x[i] - of.zero_point);
    }
}

void aot_dequantize_s16_f32(const aot_dequantize_t *layer, const int16_t *x, float *y) {
    const aot_dequantize_t of = *layer;
    for (uint32_t i = 0; i < of.elements; i++) {
        y[i] = of.scale * (float)(x[i] - of.zero_point);
    }
}

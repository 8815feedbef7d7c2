/* float32 to and from integers, element by element. */
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

/* The integer nearest to value / scale, halves away from zero; beyond `limit` in either direction, `limit`. */
static inline int32_t divide_and_round(float value, float scale, int32_t limit) {
    const float quotient = value / scale;
    if (quotient >= (float)limit || quotient <= (float)-limit) {
        return quotient > 0.0f ? limit : -limit;
    }
    if (quotient != quotient) {
        return 0;
    }
    /* The distance to the truncated value is exact, so halves are seen as halves. */
    const int32_t truncated = (int32_t)quotient;
    const float distance = quotient - (float)truncated;
    return truncated + (distance >= 0.5f) - (distance <= -0.5f);
}

/* Limits that lie beyond the type's range, whatever the zero point. */
#define LIMIT_8 512
#define LIMIT_16 (1 << 17)

void aot_quantize_f32_s8(const aot_quantize_t *layer, const float *x, int8_t *y) {
    for (uint32_t i = 0; i < layer->elements; i++) {
        const int32_t value = divide_and_round(x[i], layer->scale, LIMIT_8) + layer->zero_point;
        y[i] = (int8_t)aot_clamp(value, INT8_MIN, INT8_MAX);
    }
}

void aot_quantize_f32_u8(const aot_quantize_t *layer, const float *x, uint8_t *y) {
    for (uint32_t i = 0; i < layer->elements; i++) {
        const int32_t value = divide_and_round(x[i], layer->scale, LIMIT_8) + layer->zero_point;
        y[i] = (uint8_t)aot_clamp(value, 0, UINT8_MAX);
    }
}

void aot_quantize_f32_s16(const aot_quantize_t *layer, const float *x, int16_t *y) {
    for (uint32_t i = 0; i < layer->elements; i++) {
        const int32_t value = divide_and_round(x[i], layer->scale, LIMIT_16) + layer->zero_point;
        y[i] = (int16_t)aot_clamp(value, INT16_MIN, INT16_MAX);
    }
}

void aot_dequantize_s8_f32(const aot_dequantize_t *layer, const int8_t *x, float *y) {
    for (uint32_t i = 0; i < layer->elements; i++) {
        y[i] = layer->scale * (float)(x[i] - layer->zero_point);
    }
}

void aot_dequantize_u8_f32(const aot_dequantize_t *layer, const uint8_t *x, float *y) {
    for (uint32_t i = 0; i < layer->elements; i++) {
        y[i] = layer->scale * (float)(x[i] - layer->zero_point);
    }
}

void aot_dequantize_s16_f32(const aot_dequantize_t *layer, const int16_t *x, float *y) {
    for (uint32_t i = 0; i < layer->elements; i++) {
        y[i] = layer->scale * (float)(x[i] - layer->zero_point);
    }
}

/* Elementwise operators on one tensor. x and y may be the same buffer if their elements have the same size. */
#ifndef AOT_ELEMENTWISE_H
#define AOT_ELEMENTWISE_H

#include "aot_fixed.h"

/* y = clamp((x - input_zero_point) * scale + output_zero_point): QUANTIZE to and from int16. */
typedef struct {
    uint32_t elements;
    aot_scale_t scale;
    int32_t input_zero_point;
    int32_t output_zero_point;
    int32_t minimum, maximum;
} aot_rescale_t;

void aot_rescale_s8_s16(const aot_rescale_t *layer, const int8_t *x, int16_t *y);
void aot_rescale_s16_s8(const aot_rescale_t *layer, const int16_t *x, int8_t *y);
void aot_rescale_s16(const aot_rescale_t *layer, const int16_t *x, int16_t *y);

/* int8 -> int8: y = clamp(x). RELU6, and RELU if the quantization stays the same. */
typedef struct {
    uint32_t elements;
    int32_t minimum, maximum;
} aot_clamp_s8_t;

void aot_clamp_s8(const aot_clamp_s8_t *layer, const int8_t *x, int8_t *y);

/* float32 -> float32: y = x if x is not negative, else 0; NaN stays NaN. */
typedef struct {
    uint32_t elements;
} aot_relu_f32_t;

void aot_relu_f32(const aot_relu_f32_t *layer, const float *x, float *y);

/* float32 -> float32: y = clamp(x); NaN stays NaN. RELU6. */
typedef struct {
    uint32_t elements;
    float minimum, maximum;
} aot_clamp_f32_t;

void aot_clamp_f32(const aot_clamp_f32_t *layer, const float *x, float *y);

/* y = clamp(round(x / scale) + zero_point); halves are rounded away from zero, and NaN gives the zero point. */
typedef struct {
    uint32_t elements;
    float scale;
    int32_t zero_point;
} aot_quantize_t;

void aot_quantize_f32_s8(const aot_quantize_t *layer, const float *x, int8_t *y);
void aot_quantize_f32_u8(const aot_quantize_t *layer, const float *x, uint8_t *y);
void aot_quantize_f32_s16(const aot_quantize_t *layer, const float *x, int16_t *y);

/* y = scale * (x - zero_point). */
typedef struct {
    uint32_t elements;
    float scale;
    int32_t zero_point;
} aot_dequantize_t;

void aot_dequantize_s8_f32(const aot_dequantize_t *layer, const int8_t *x, float *y);
void aot_dequantize_u8_f32(const aot_dequantize_t *layer, const uint8_t *x, float *y);
void aot_dequantize_s16_f32(const aot_dequantize_t *layer, const int16_t *x, float *y);

#endif

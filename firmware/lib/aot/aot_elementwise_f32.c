/* float32 to and from int8, element by element. */
#include "aot_elementwise.h"

void aot_clamp_f32(const aot_clamp_f32_t *layer, const float *x, float *y) {
    for (uint32_t i = 0; i < layer->elements; i++) {
        const float value = x[i];
        y[i] = value > layer->maximum ? layer->maximum : value < layer->minimum ? layer->minimum : value;
    }
}

void aot_quantize_f32_s8(const aot_quantize_f32_s8_t *layer, const float *x, int8_t *y) {
    for (uint32_t i = 0; i < layer->elements; i++) {
        const float quotient = x[i] / layer->scale;
        int32_t rounded = 0;
        if (quotient >= 512.0f || quotient <= -512.0f) {
            rounded = quotient > 0.0f ? 512 : -512; /* beyond int8 whatever the zero point */
        } else if (quotient == quotient) {
            /* The distance to the truncated value is exact, so halves are seen as halves. */
            rounded = (int32_t)quotient;
            const float distance = quotient - (float)rounded;
            rounded += (distance >= 0.5f) - (distance <= -0.5f);
        }
        y[i] = (int8_t)aot_clamp(rounded + layer->zero_point, INT8_MIN, INT8_MAX);
    }
}

void aot_dequantize_s8_f32(const aot_dequantize_s8_f32_t *layer, const int8_t *x, float *y) {
    for (uint32_t i = 0; i < layer->elements; i++) {
        y[i] = layer->scale * (float)(x[i] - layer->zero_point);
    }
}

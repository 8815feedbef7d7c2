/* ADD, SUB and MUL on float32. */
#include "aot_binary.h"
#include "aot_float.h"

void aot_add_f32(const aot_add_f32_t *layer, const float *a, const float *b, float *y) {
    const aot_axis_t inner = layer->axes[layer->axis_count - 1];
    aot_position_t at = {0};
    do {
        const float *p = a + at.first, *q = b + at.second;
        for (uint32_t i = 0; i < inner.size; i++, p += inner.first_step, q += inner.second_step) {
            *y++ = aot_limit(*p + layer->sign * *q, layer->minimum, layer->maximum);
        }
    } while (aot_advance(&at, layer->axes, layer->axis_count - 1));
}

void aot_multiply_f32(const aot_multiply_f32_t *layer, const float *a, const float *b, float *y) {
    const aot_axis_t inner = layer->axes[layer->axis_count - 1];
    aot_position_t at = {0};
    do {
        const float *p = a + at.first, *q = b + at.second;
        for (uint32_t i = 0; i < inner.size; i++, p += inner.first_step, q += inner.second_step) {
            *y++ = aot_limit(*p * *q, layer->minimum, layer->maximum);
        }
    } while (aot_advance(&at, layer->axes, layer->axis_count - 1));
}

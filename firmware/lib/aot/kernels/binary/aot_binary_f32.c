/* ADD, SUB and MUL on float32. */
#pragma GCC optimize("O2") /* like TFLM, which would be faster otherwise */
#include "aot_binary.h"
#include "aot_float.h"

typedef enum { ADD, SUBTRACT, MULTIPLY } operation_t;

static inline __attribute__((always_inline)) float result(operation_t operation, float a, float b) {
    return operation == ADD ? a + b : operation == SUBTRACT ? a - b : a * b;
}

/* One row. Inlined with constant steps and a constant operation, so that the loop over a row has no branch. */
static inline __attribute__((always_inline)) float *row(operation_t operation, const aot_binary_f32_t *layer,
                                                        const float *a, uint32_t a_step, const float *b,
                                                        uint32_t b_step, uint32_t n, float *y) {
    const float minimum = layer->minimum, maximum = layer->maximum;
    if (a_step == 0) {
        const float value = *a;
        AOT_REPEAT(n, *y++ = aot_limit(result(operation, value, *b++), minimum, maximum))
    } else if (b_step == 0) {
        const float value = *b;
        AOT_REPEAT(n, *y++ = aot_limit(result(operation, *a++, value), minimum, maximum))
    } else {
        AOT_REPEAT(n, *y++ = aot_limit(result(operation, *a++, *b++), minimum, maximum))
    }
    return y;
}

static inline __attribute__((always_inline)) void rows(operation_t operation, const aot_binary_f32_t *layer,
                                                       const float *a, const float *b, float *y) {
    const aot_axis_t inner = layer->axes[layer->axis_count - 1];
    aot_position_t at = {0};
    do {
        const float *p = a + at.first, *q = b + at.second;
        if (inner.first_step == 0) {
            y = row(operation, layer, p, 0, q, 1, inner.size, y);
        } else if (inner.second_step == 0) {
            y = row(operation, layer, p, 1, q, 0, inner.size, y);
        } else {
            y = row(operation, layer, p, 1, q, 1, inner.size, y);
        }
    } while (aot_advance(&at, layer->axes, layer->axis_count - 1));
}

void aot_add_f32(const aot_binary_f32_t *layer, const float *a, const float *b, float *y) {
    rows(ADD, layer, a, b, y);
}

void aot_subtract_f32(const aot_binary_f32_t *layer, const float *a, const float *b, float *y) {
    rows(SUBTRACT, layer, a, b, y);
}

void aot_multiply_f32(const aot_binary_f32_t *layer, const float *a, const float *b, float *y) {
    rows(MULTIPLY, layer, a, b, y);
}

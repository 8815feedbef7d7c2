/* SOFTMAX on float32. */
#pragma GCC optimize("O2") /* like TFLM, which would be faster otherwise */
#include "aot_exp.h"
#include "aot_softmax.h"

#include <float.h>

static void softmax_row(const aot_softmax_f32_t *layer, const float *x, float *y) {
    float maximum = -FLT_MAX;
    for (uint32_t i = 0; i < layer->depth; i++) {
        maximum = maximum < x[i] ? x[i] : maximum;
    }
    float sum = 0.0f;
    for (uint32_t i = 0; i < layer->depth; i++) {
        y[i] = aot_exp_f32((x[i] - maximum) * layer->beta);
        sum += y[i];
    }
    for (uint32_t i = 0; i < layer->depth; i++) {
        y[i] /= sum;
    }
}

void aot_softmax_f32(const aot_softmax_f32_t *layer, const float *x, float *y) {
    for (uint32_t row = 0; row < layer->rows; row++) {
        softmax_row(layer, x + row * layer->depth, y + row * layer->depth);
    }
}

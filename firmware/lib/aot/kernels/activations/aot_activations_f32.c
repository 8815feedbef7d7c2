/* Activations on float32. */
#pragma GCC optimize("O2") /* like TFLM, which would be faster otherwise */
#include "aot_activations.h"
#include "aot_exp.h"
#include "aot_float.h"

void aot_logistic_f32(const aot_logistic_f32_t *layer, const float *x, float *y) {
    for (uint32_t i = 0; i < layer->elements; i++) {
        /* The limits of TFLM. Beyond them, 1 and e^x differ from the result by at most one bit. */
        if (x[i] > 16.619047164916992188f) {
            y[i] = 1.0f;
        } else if (x[i] < -9.0f) {
            y[i] = aot_exp_f32(x[i]);
        } else {
            y[i] = 1.0f / (1.0f + aot_exp_f32(-x[i]));
        }
    }
}

/*
 * tanh x for x >= 0, within 2 ULP. Below 0.625, the polynomial contributes at most 0.13 x, so its roundings add up to
 * 0.7 ULP, and the rounding of the sum is half an ULP. Above, with u = 2^-24, e^(2x) has an error of 1.14 u. So the
 * quotient, which is at most 0.45, has an error of 3.14 u, or 1.41 ULP of a result in [1/2, 1]; the rounding of the
 * difference is half an ULP.
 */
static float tanh_of_magnitude(float x) {
    if (x < 0.625f) {
        /* x + x^3 p(x^2), with p fitted so that the relative error of the result is below 2^-27. */
        const float z = x * x;
        const float p = (((-5.7170447e-3f * z + 2.0650586e-2f) * z - 5.3743497e-2f) * z + 1.3331491e-1f) * z;
        return x + x * z * (p - 3.3333284e-1f);
    }
    /* The result is 1 from 9.02 on. NaN also takes this path and stays NaN. */
    return 1.0f - 2.0f / (aot_exp_f32(2.0f * x) + 1.0f);
}

void aot_tanh_f32(const aot_tanh_f32_t *layer, const float *x, float *y) {
    for (uint32_t i = 0; i < layer->elements; i++) {
        y[i] = __builtin_copysignf(tanh_of_magnitude(__builtin_fabsf(x[i])), x[i]);
    }
}

/*
 * e^x - 1 for x < 0, within 2 ULP. Above -0.5, the polynomial contributes at most 0.27 of the result, so its roundings
 * add up to one ULP; the rounding of the sum is half an ULP. Otherwise e^x has an error of 0.57 ULP. If e^x is at least
 * 1/2, the difference is exact and at least 0.39, so the error is at most 1.14 ULP of the result. If e^x is smaller,
 * the result is above 1/2, so the error is at most 0.29 ULP of it, and the rounding of the difference is half an ULP.
 */
static float exp_minus_one(float x) {
    if (x > -0.5f) {
        /* x + x^2 p(x), with p fitted so that the relative error of the result is below 2^-30. */
        const float p = ((1.6484498e-4f * x + 1.3706629e-3f) * x + 8.3286911e-3f) * x + 4.1666128e-2f;
        return x + x * x * ((p * x + 1.6666664e-1f) * x + 0.5f);
    }
    return aot_exp_f32(x) - 1.0f;
}

void aot_elu_f32(const aot_elu_f32_t *layer, const float *x, float *y) {
    for (uint32_t i = 0; i < layer->elements; i++) {
        y[i] = x[i] < 0.0f ? exp_minus_one(x[i]) : x[i];
    }
}

static inline float leaky_relu(float x, float alpha) {
    return x > 0.0f ? x : x * alpha;
}

void aot_leaky_relu_f32(const aot_leaky_relu_f32_t *layer, const float *x, float *y) {
    const float alpha = layer->alpha;
    uint32_t n = layer->elements;
    AOT_REPEAT(n, *y++ = leaky_relu(*x++, alpha))
}

static inline float hard_swish(float x) {
    return x * aot_limit(x + 3.0f, 0.0f, 6.0f) / 6.0f;
}

void aot_hard_swish_f32(const aot_hard_swish_f32_t *layer, const float *x, float *y) {
    uint32_t n = layer->elements;
    AOT_REPEAT(n, *y++ = hard_swish(*x++))
}

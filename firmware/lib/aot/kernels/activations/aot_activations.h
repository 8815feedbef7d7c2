/* Activations as separate operators. x and y may be the same buffer. */
#ifndef AOT_ACTIVATIONS_H
#define AOT_ACTIVATIONS_H

#include <stdint.h>

/*
 * Any function of one byte: y = table[x + 128] with x read as int8. RELU, ELU, LOGISTIC, TANH, LEAKY_RELU, HARD_SWISH
 * on int8, and QUANTIZE between int8 and uint8; therefore the pointers are void.
 */
typedef struct {
    uint32_t elements;
    const int8_t *table;
} aot_table_s8_t;

void aot_table_s8(const aot_table_s8_t *layer, const void *x, void *y);

/*
 * int16 -> int16: y = 1 / (1 + e^-x) and y = tanh x, with the scale 2^-15. x * multiplier / 2^shift, rounded, has the
 * scale 1 / 12288. The table holds 1 / (1 + e^-x) - 1/2 at 256 points at distances of 1/24, in units of 2^-16.
 */
typedef struct {
    uint32_t elements;
    int32_t multiplier;
    uint32_t shift;
    const int16_t *table;
} aot_sigmoid_s16_t;

void aot_logistic_s16(const aot_sigmoid_s16_t *layer, const int16_t *x, int16_t *y);
void aot_tanh_s16(const aot_sigmoid_s16_t *layer, const int16_t *x, int16_t *y);

/* float32: y = 1 / (1 + e^-x). */
typedef struct {
    uint32_t elements;
} aot_logistic_f32_t;

void aot_logistic_f32(const aot_logistic_f32_t *layer, const float *x, float *y);

/* float32: y = tanh x, within 2 ULP. */
typedef struct {
    uint32_t elements;
} aot_tanh_f32_t;

void aot_tanh_f32(const aot_tanh_f32_t *layer, const float *x, float *y);

/* float32: y = x if x is not negative, else e^x - 1, within 2 ULP. */
typedef struct {
    uint32_t elements;
} aot_elu_f32_t;

void aot_elu_f32(const aot_elu_f32_t *layer, const float *x, float *y);

/* float32: y = x if x is positive, else alpha * x. */
typedef struct {
    uint32_t elements;
    float alpha;
} aot_leaky_relu_f32_t;

void aot_leaky_relu_f32(const aot_leaky_relu_f32_t *layer, const float *x, float *y);

/* float32: y = x * min(max(x + 3, 0), 6) / 6. */
typedef struct {
    uint32_t elements;
} aot_hard_swish_f32_t;

void aot_hard_swish_f32(const aot_hard_swish_f32_t *layer, const float *x, float *y);

#endif

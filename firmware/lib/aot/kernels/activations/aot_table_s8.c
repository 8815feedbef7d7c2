/* Any function of one byte. */
#pragma GCC optimize("O2") /* like TFLM, which would be faster otherwise */
#include "aot_activations.h"
#include "aot_float.h"

void aot_table_s8(const aot_table_s8_t *layer, const void *x, void *y) {
    const int8_t *zero = layer->table + 128;
    const int8_t *source = x;
    int8_t *target = y;
    uint32_t n = layer->elements;
    AOT_REPEAT(n, *target++ = zero[*source++])
}

/* The limits of a fused activation, applied after the operator. */
#ifndef AOT_LIMIT_H
#define AOT_LIMIT_H

#include <stdint.h>

/* Limits `elements` values to minimum..maximum, which is within int8. Faster if y is aligned to 4 bytes. */
void aot_limit_s8(int8_t *y, uint32_t elements, int32_t minimum, int32_t maximum);

#endif

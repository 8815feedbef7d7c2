/* A tensor as it lies in memory: what the protocol, the engines and the windowing have in common. */
#ifndef HIL_TENSOR_H
#define HIL_TENSOR_H

#include <stdint.h>

/* The largest rank of an input or output tensor. */
#define HIL_MAX_RANK 6

/* The types (TFLite's TensorType codes) that an input or output tensor may have. */
enum {
    HIL_FLOAT32 = 0,
    HIL_UINT8 = 3,
    HIL_INT16 = 7,
    HIL_INT8 = 9,
};

/* Row-major, little endian, without padding. */
typedef struct {
    uint8_t type;                /* a TensorType code, see above */
    uint8_t rank;                /* number of dimensions that count in dims */
    uint16_t dims[HIL_MAX_RANK]; /* outermost first, the batch of 1 included */
    float scale;                 /* real value = scale * (stored - zero_point); 0 where the type is float32 */
    int32_t zero_point;
    void *data;
    uint32_t bytes; /* length of data */
} hil_tensor_t;

#endif

/* A tensor in memory; shared by the protocol, the engines and the windowing. */
#ifndef HIL_TENSOR_H
#define HIL_TENSOR_H

#include <stdint.h>

/* The largest rank of an input or output tensor. */
#define HIL_MAX_RANK 6

/* The supported types of input and output tensors, with their TensorType codes in TFLite. */
enum {
    HIL_FLOAT32 = 0,
    HIL_UINT8 = 3,
    HIL_INT16 = 7,
    HIL_INT8 = 9,
};

/* Row-major, little endian, without padding. */
typedef struct {
    uint8_t type;                /* a TensorType code, see above */
    uint8_t rank;                /* number of dimensions in dims */
    uint16_t dims[HIL_MAX_RANK]; /* outermost first, including the batch of 1 */
    float scale;                 /* real value = scale * (stored - zero_point); 0 if the type is float32 */
    int32_t zero_point;
    void *data;
    uint32_t bytes; /* length of data */
} hil_tensor_t;

#endif

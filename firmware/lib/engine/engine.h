/*
 * The engine: what executes the network. One engine is linked into an image; the firmware sees only this header.
 *
 * The caller writes the input tensors in place, calls engine_invoke() and reads the output tensors in place. Nothing
 * here allocates memory, and every pointer stays valid for as long as the program runs.
 */
#ifndef ENGINE_H
#define ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The largest rank of an input or output tensor. */
#define ENGINE_MAX_RANK 6

/* The types (TFLite's TensorType codes) that an input or output tensor may have. */
enum {
    ENGINE_FLOAT32 = 0,
    ENGINE_UINT8 = 3,
    ENGINE_INT16 = 7,
    ENGINE_INT8 = 9,
};

/* A tensor as it lies in memory: row-major, little endian, without padding. */
typedef struct {
    uint8_t type;                   /* a TensorType code, see above */
    uint8_t rank;                   /* number of dimensions that count in dims */
    uint16_t dims[ENGINE_MAX_RANK]; /* outermost first, the batch of 1 included */
    float scale;                    /* real value = scale * (stored - zero_point); 0 where the type is float32 */
    int32_t zero_point;
    void *data;
    uint32_t bytes; /* length of data */
} engine_tensor_t;

/* "aot", "tflm" ... and its version; static strings in UTF-8. */
const char *engine_name(void);
const char *engine_version(void);

/* Prepares the network. Called once, before anything below. False: this engine cannot run this model. */
bool engine_init(void);

/* Tensors, numbered from 0 in the order of the .tflite. `i` must be below the count. */
uint8_t engine_input_count(void);
const engine_tensor_t *engine_input(uint8_t i);
uint8_t engine_output_count(void);
const engine_tensor_t *engine_output(uint8_t i);

/* Runs the network once. False: it failed, and the outputs mean nothing. May overwrite the inputs. */
bool engine_invoke(void);

/* Bytes of RAM for activations and scratch memory. */
uint32_t engine_arena_bytes(void);

/*
 * Where tensor `index` of the .tflite lies after engine_invoke(). Only debug builds keep every tensor; false where it
 * is not available.
 */
bool engine_tensor(uint16_t index, const void **data, uint32_t *bytes);

#ifdef __cplusplus
}
#endif

#endif

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

#include "hil_tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

/* "aot", "tflm" ... and its version; static strings in UTF-8. */
const char *engine_name(void);
const char *engine_version(void);

/* Prepares the network. Called once, before anything below. False: this engine cannot run this model. */
bool engine_init(void);

/* Tensors in the order of the .tflite: arrays of so many. */
uint8_t engine_input_count(void);
const hil_tensor_t *engine_inputs(void);
uint8_t engine_output_count(void);
const hil_tensor_t *engine_outputs(void);

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

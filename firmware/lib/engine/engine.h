/*
 * The engine, which executes the network. An image has one engine; the other firmware uses only this header.
 *
 * Write the input tensors in place, call engine_invoke() and read the output tensors in place. No function allocates
 * memory, and all pointers stay valid while the program runs.
 */
#ifndef ENGINE_H
#define ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "hil_tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The name ("aot" or "tflm") and the version; static strings in UTF-8. */
const char *engine_name(void);
const char *engine_version(void);

/* Initializes the network. Call it once, before the functions below. Returns false if the engine cannot run the model.
 */
bool engine_init(void);

/* The input and output tensors in the order of the .tflite: arrays of engine_*_count() elements. */
uint8_t engine_input_count(void);
const hil_tensor_t *engine_inputs(void);
uint8_t engine_output_count(void);
const hil_tensor_t *engine_outputs(void);

/* Runs the network once. Returns false if it failed; the outputs are then invalid. May overwrite the inputs. */
bool engine_invoke(void);

/*
 * The same, but with step_begin() before and step_end() after each step (lib/marks/marks.h). Only images that measure
 * steps have it.
 */
bool engine_invoke_in_steps(void);

/* The RAM for activations and scratch memory, in bytes. */
uint32_t engine_arena_bytes(void);

/*
 * Finds tensor `index` of the .tflite after engine_invoke(). Returns false if it is not available: only debug builds
 * keep all tensors.
 */
bool engine_tensor(uint16_t index, const void **data, uint32_t *bytes);

#ifdef __cplusplus
}
#endif

#endif

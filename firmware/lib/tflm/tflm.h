/* The tflm engine, started with an arena of the caller's choice; see engine.h for the rest. */
#ifndef TFLM_H
#define TFLM_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What TensorFlow Lite Micro wants an arena to begin at a multiple of. */
#define TFLM_ARENA_ALIGNMENT 16

/*
 * Prepares the network in `arena`, which begins at a multiple of TFLM_ARENA_ALIGNMENT. Called once. False: the library
 * refuses the model, or the arena is too small.
 */
bool tflm_start(uint8_t *arena, uint32_t bytes);

#ifdef __cplusplus
}
#endif

#endif

/* Starts the tflm engine with an arena of the caller; see engine.h for the other functions. */
#ifndef TFLM_H
#define TFLM_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The alignment of an arena that TensorFlow Lite Micro requires, in bytes. */
#define TFLM_ARENA_ALIGNMENT 16

/*
 * Initializes the network in `arena`, which must be aligned to TFLM_ARENA_ALIGNMENT. Call it once. Returns false if the
 * library refuses the model or the arena is too small.
 */
bool tflm_start(uint8_t *arena, uint32_t bytes);

#ifdef __cplusplus
}
#endif

#endif

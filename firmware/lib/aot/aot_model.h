/*
 * The network that tflm_hil/compiler generates from a .tflite: aot_model.c defines `aot_model` and, for images that
 * measure steps, aot_run_in_steps(). It exports nothing else.
 *
 * The structure is the same for all models, so the engine and the kernels are compiled only once.
 */
#ifndef AOT_MODEL_H
#define AOT_MODEL_H

#include "engine.h"

/* The memory of one tensor of the .tflite; data is NULL if the tensor is not kept. */
typedef struct {
    const void *data;
    uint32_t bytes;
} aot_tensor_t;

typedef struct {
    const hil_tensor_t *inputs;
    const hil_tensor_t *outputs;
    uint8_t input_count;
    uint8_t output_count;
    uint32_t arena_bytes;        /* all activations, including inputs and outputs */
    void (*run)(void);           /* the operators of the network, in order */
    const aot_tensor_t *tensors; /* in debug builds, by tensor index of the .tflite; else NULL */
    uint16_t tensor_count;       /* 0 if tensors is NULL */
} aot_model_t;

extern const aot_model_t aot_model;

/* The same as aot_model.run(), with marks around each operator. */
void aot_run_in_steps(void);

#endif

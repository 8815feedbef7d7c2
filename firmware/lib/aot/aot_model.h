/*
 * What tflm_hil/compiler generates from a .tflite: aot_model.c defines `aot_model`, and nothing else is visible.
 *
 * The structure is fixed and lives here, so the engine and the kernels compile once for all models.
 */
#ifndef AOT_MODEL_H
#define AOT_MODEL_H

#include "engine.h"

/* Where one tensor of the .tflite lies; data is NULL for a tensor that is not kept. */
typedef struct {
    const void *data;
    uint32_t bytes;
} aot_tensor_t;

typedef struct {
    const hil_tensor_t *inputs;
    const hil_tensor_t *outputs;
    uint8_t input_count;
    uint8_t output_count;
    uint32_t arena_bytes;        /* all activations, inputs and outputs included */
    void (*run)(void);           /* the operators of the network, in order */
    const aot_tensor_t *tensors; /* debug builds: by tensor index of the .tflite; else NULL */
    uint16_t tensor_count;       /* 0 where tensors is NULL */
} aot_model_t;

extern const aot_model_t aot_model;

#endif

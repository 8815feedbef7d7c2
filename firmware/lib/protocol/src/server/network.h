/* The network of the application: start it once, then run, measure and count inferences. */
#ifndef NETWORK_H
#define NETWORK_H

#include "../tflm_hil.h"

typedef struct {
    const hil_application_t *application;
    const char *problem; /* why the network cannot run, or NULL; if set, only the description is used */
    const hil_tensor_t *inputs, *outputs;
    uint8_t input_count, output_count; /* 0 if there is a problem */
    uint32_t inferences;               /* since the start */
} hil_network_t;

extern hil_network_t hil_network;

/* Starts the network. Call it once. */
void hil_network_start(const hil_application_t *application);

/* Fills in the description of the application. */
void hil_network_describe(hil_description_t *description);

/* Runs the network on its inputs and sets `ticks` to the ticks that it took. Returns false if it failed. */
bool hil_network_run(uint32_t *ticks);

#endif

/* The application's network: started once, then run, measured and counted. */
#ifndef NETWORK_H
#define NETWORK_H

#include "../tflm_hil.h"

typedef struct {
    const hil_application_t *application;
    const char *problem; /* why it does not run: nothing but its description is asked of one that has a problem */
    const hil_tensor_t *inputs, *outputs;
    uint8_t input_count, output_count; /* 0 where there is a problem */
    uint32_t inferences;               /* since the start */
} hil_network_t;

extern hil_network_t hil_network;

/* Starts the network. Called once. */
void hil_network_start(const hil_application_t *application);

/* What the application says of itself. */
void hil_network_describe(hil_description_t *description);

/* Runs the network on what its inputs hold and tells how many ticks it took. False: it failed. */
bool hil_network_run(uint32_t *ticks);

#endif

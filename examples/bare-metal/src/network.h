/* The network of ../wave, by hand: two dense layers in TFLite's int8 arithmetic. */
#ifndef NETWORK_H
#define NETWORK_H

#include "wave_network.h"

extern int8_t network_input[WAVE_INPUTS];
extern int8_t network_output[WAVE_OUTPUTS];

void network_run(void);

#endif

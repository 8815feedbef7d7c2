/* The network, written by hand: two dense layers in the int8 arithmetic of TFLite. */
#ifndef WAVE_H
#define WAVE_H

#include "wave_network.h"

#ifdef __cplusplus
extern "C" {
#endif

extern int8_t network_input[WAVE_INPUTS];
extern int8_t network_output[WAVE_OUTPUTS];

void network_run(void);

#ifdef __cplusplus
}
#endif

#endif

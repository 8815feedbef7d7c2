/* One run of the network, measured and counted. */
#ifndef INFERENCE_H
#define INFERENCE_H

#include <stdbool.h>
#include <stdint.h>

/* Runs the engine on what its inputs hold and tells how many ticks it took. False: the engine failed. */
bool inference_run(uint32_t *ticks);

/* How often that was done. */
uint32_t inference_count(void);

#endif

/* Requests of a model with windowing: rows of a recording come in, the answers to its windows go out. */
#ifndef WINDOWS_H
#define WINDOWS_H

#include <stdint.h>

#include "bytes.h"

/* Null, or a line that says why SAMPLES will fail. Called once, when the engine is ready. */
const char *windows_init(void);

/* Forgets all rows. */
void windows_begin(void);

/* SAMPLES. Returns the type of the response. */
uint8_t windows_samples(const uint8_t *body, uint16_t length, writer_t *response);

#endif

/* Requests of an application with windows: rows of a recording come in, the answers to its windows go out. */
#ifndef WINDOWS_H
#define WINDOWS_H

#include <stdint.h>

#include "bytes.h"

/* Forgets all rows: the next one is row 0 of a new recording. */
void hil_windows_begin(void);

/* SAMPLES. Returns the type of the response. */
uint8_t hil_windows_samples(const uint8_t *body, uint16_t length, writer_t *response);

#endif

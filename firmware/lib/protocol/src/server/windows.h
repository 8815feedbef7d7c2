/* Requests for applications with windows: take rows of a recording, answer with the results for its windows. */
#ifndef WINDOWS_H
#define WINDOWS_H

#include <stdint.h>

#include "bytes.h"

/* Forgets all rows: the next one is row 0 of a new recording. */
void hil_windows_begin(void);

/* SAMPLES. Returns the type of the response. */
uint8_t hil_windows_samples(const uint8_t *body, uint16_t length, writer_t *response);

#endif

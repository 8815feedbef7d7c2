/* Requests for applications with windows: take rows of a recording, or of the device's own sensor, and answer with the
 * results for their windows. */
#ifndef WINDOWS_H
#define WINDOWS_H

#include <stdint.h>

#include "bytes.h"

/* Forgets all rows: the next one is row 0 of a new recording. */
void hil_windows_begin(void);

/* SAMPLES. Returns the type of the response. */
uint8_t hil_windows_samples(const uint8_t *body, uint16_t length, writer_t *response);

/* SENSE. Returns the type of the response. */
uint8_t hil_windows_sense(uint8_t rows, writer_t *response);

#endif

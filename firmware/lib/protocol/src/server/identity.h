/* The description of the device, and its counters. */
#ifndef IDENTITY_H
#define IDENTITY_H

#include <stdint.h>

#include "bytes.h"

/* HELLO, whose body ends with the nonce. Writes the response except for the tensors. */
void hil_identity_hello(const uint8_t *body, writer_t *response);

/* STATUS. */
void hil_identity_status(writer_t *response);

/* Counts a frame that was dropped, for STATUS. */
void hil_identity_count_bad_frame(void);

#endif

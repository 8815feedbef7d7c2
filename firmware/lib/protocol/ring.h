/*
 * The bytes received and not yet read: written by the receive interrupt, read by the main loop, without locks. It holds
 * the frames of all credits twice, as a host that lost patience may send them again before the first ones are read.
 */
#ifndef RING_H
#define RING_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol.h"

#define RING_BYTES (2 * HIL_CREDITS * PROTOCOL_MAX_FRAME)

bool ring_is_empty(void);

/* Takes the oldest byte out. False: there is none. */
bool ring_read(uint8_t *byte);

/* Bytes that found it full and were dropped. */
uint32_t ring_overruns(void);

#endif

/*
 * The bytes received and not yet read: written by the receive interrupt, read by the main loop, without locks. It holds
 * the frames of all credits twice, as a host that lost patience may send them again before the first ones are read.
 */
#ifndef RING_H
#define RING_H

#include <stdbool.h>
#include <stdint.h>

#include "tflm_hil.h"

/* Requests that may be under way at once: a board that can spare the memory says more in its file. */
#ifndef HIL_CREDITS
#define HIL_CREDITS 4
#endif

#define RING_BYTES (2 * HIL_CREDITS * HIL_FRAME_BYTES(HIL_MOST_BODY))

/* Marks a buffer that serves the link alone, so that a footprint can be stated without it. It is not cleared. */
#define UART_BUFFER __attribute__((section(".bss.uart_buffers"), aligned(4)))

bool ring_is_empty(void);

/* Takes the oldest byte out. False: there is none. */
bool ring_read(uint8_t *byte);

/* Bytes that found it full and were dropped. */
uint32_t ring_overruns(void);

#endif

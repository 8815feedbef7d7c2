/*
 * A ring buffer of received bytes: written by the receive interrupt and read by the main loop, without locks. It has
 * room for twice the frames of all credits, because a host may repeat requests before the first ones have been read.
 */
#ifndef RING_H
#define RING_H

#include <stdbool.h>
#include <stdint.h>

#include "tflm_hil.h"

/* The most requests in flight. Boards with enough memory set a larger number in their file. */
#ifndef HIL_CREDITS
#define HIL_CREDITS 4
#endif

#define RING_BYTES (2 * HIL_CREDITS * HIL_FRAME_BYTES(HIL_MOST_BODY))

/* Marks buffers that only serve the link, so that a footprint can leave them out. They are not cleared at start-up. */
#define UART_BUFFER __attribute__((section(".bss.uart_buffers"), aligned(4)))

bool ring_is_empty(void);

/* Takes the oldest byte; returns false if there is none. */
bool ring_read(uint8_t *byte);

/* The number of bytes that were dropped because the ring was full. */
uint32_t ring_overruns(void);

#endif

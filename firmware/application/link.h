/*
 * The link to the host: a UART, or rings in RAM that a debug probe or an emulator serves (lib/rtt). Both carry the same
 * bytes. In use is the one over which the last HELLO came; before the first HELLO, what is sent goes over both.
 *
 * It implements hil_write() of the protocol library.
 */
#ifndef LINK_H
#define LINK_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The most requests in flight. Boards with enough memory set a larger number in their file. */
#ifndef HIL_CREDITS
#define HIL_CREDITS 4
#endif

/* Marks what only serves the link, so that a footprint can leave it out. */
#define LINK_BUFFER __attribute__((section(".bss.link_buffers")))

/* Sets up the rings. Call it before board_init(), which lets bytes arrive. */
void link_open(void);

/* Hands all received bytes to hil_receive(), then sleeps until more arrive. It returns at once where nothing would wake
 * the core: a debug probe that writes to RAM does not. */
void link_poll(void);

/* Uses the link over which the request came that is being handled. */
void link_choose(void);

/* Waits until everything written has been sent, but only for a bounded time. */
void link_flush(void);

/* The number of bytes of the UART that were dropped because its ring was full. */
uint32_t link_overruns(void);

#ifdef __cplusplus
}
#endif

#endif

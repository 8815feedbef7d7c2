/*
 * Our application of the protocol library (lib/protocol/src/tflm_hil.h): any engine, our windowing, any board of
 * lib/board.
 */
#ifndef APPLICATION_H
#define APPLICATION_H

#ifdef __cplusplus
extern "C" {
#endif

/* Announces the start and prepares the engine. The board is set up already. */
void application_start(void);

/* Handles what has been received, and sleeps when that is nothing. */
void application_poll(void);

#ifdef __cplusplus
}
#endif

#endif

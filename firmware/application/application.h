/*
 * Our application of the protocol library (lib/protocol/src/tflm_hil.h), with any engine, our windowing and any board
 * of lib/board.
 */
#ifndef APPLICATION_H
#define APPLICATION_H

#ifdef __cplusplus
extern "C" {
#endif

/* Sends BOOT and starts the engine. Call link_open() and board_init() first. */
void application_start(void);

#ifdef __cplusplus
}
#endif

#endif

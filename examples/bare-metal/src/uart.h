/* USART2 on PA2 and PA3 at 115,200 baud, with a ring buffer for received bytes. */
#ifndef UART_H
#define UART_H

#include <stdbool.h>
#include <stdint.h>

void uart_start(void);

/* Takes the oldest received byte; returns false if there is none. */
bool uart_read(uint8_t *byte);

void uart_write(const uint8_t *data, uint16_t length);

/* Waits until the last byte has been sent. */
void uart_flush(void);

/* The number of received bytes that were lost because the ring buffer was full. */
uint32_t uart_lost(void);

#endif

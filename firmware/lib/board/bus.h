/*
 * A bus with a sensor: what boards have that the [sensor] of their target's file puts one on. It reaches registers of
 * one byte, one at a time. Every wait is bounded.
 */
#ifndef BUS_H
#define BUS_H

#include <stdbool.h>
#include <stdint.h>

/* Sets up the bus and its pins, whatever state it is in. */
void bus_init(void);

/* Reads a register of the device at `address`. Returns false if the device does not answer. */
bool bus_read(uint8_t address, uint8_t reg, uint8_t *value);

/* Writes a register of the device at `address`. Returns false if the device does not answer. */
bool bus_write(uint8_t address, uint8_t reg, uint8_t value);

#endif

/*
 * What the sketch needs of the chip, beside what Arduino has. chip_avr.cpp and chip_nrf52.cpp implement it, and with it
 * hil_measure_begin(), hil_measure_end() and hil_reset() of the protocol library.
 */
#ifndef CHIP_H
#define CHIP_H

#include <Arduino.h>
#include <tflm_hil.h>

/* Opens Serial. Returns why the sketch started. */
hil_reset_cause_t chip_start();

/* What the harness calls the board. */
const char *chip_target();

/* What the measurements count with. */
hil_counter_t chip_counter();

/* Called in each turn of loop(). */
void chip_poll();

#endif

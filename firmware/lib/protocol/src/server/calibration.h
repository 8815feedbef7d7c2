/* Code of a known number of instructions, by which the host can tell whether the stopwatch counts what it should. */
#ifndef CALIBRATION_H
#define CALIBRATION_H

#include <stdint.h>

/* The number of instructions whose ticks hil_calibration_ticks() returns; 0 on cores that there is no such code for. */
#ifdef __thumb__
#define CALIBRATION_INSTRUCTIONS 1024
#else
#define CALIBRATION_INSTRUCTIONS 0
#endif

/* Measures them with hil_measure_begin() and hil_measure_end(). */
uint32_t hil_calibration_ticks(void);

#endif

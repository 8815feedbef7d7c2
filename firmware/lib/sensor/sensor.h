/*
 * The device's own sensor, on the bus of its board (lib/board/bus.h). The [sensor] of a target's file names the driver,
 * which is a file of this folder, and no other is compiled.
 */
#ifndef SENSOR_H
#define SENSOR_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A row: acceleration along x, y and z, then angular rate about x, y and z, in raw counts, i16, little endian. */
#define SENSOR_CHANNELS 6
#define SENSOR_ROW_BYTES (2 * SENSOR_CHANNELS)

/* Resets and starts the sensor. What it has sensed before is lost. Returns null, or a line that says what is wrong. */
const char *sensor_start(void);

/* Waits, some seconds at most, for the next row, and stores it. Returns null, or a line that says what is wrong: rows
 * follow each other without a gap, or sensor_start() has to be called again. */
const char *sensor_next(uint8_t row[SENSOR_ROW_BYTES]);

#ifdef __cplusplus
}
#endif

#endif

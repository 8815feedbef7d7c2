/* What drivers share. */
#ifndef SENSOR_DRIVER_H
#define SENSOR_DRIVER_H

#include "bus.h"
#include "sensor.h"

#include <stddef.h>

/* Looks at the sensor, with a pause of 0.1 to 0.2 ms after each: a second, and on a slow bus some seconds. */
#define PATIENCE 10000u
#define PAUSE_TURNS (F_CPU / 50000u + 1u) /* of a loop */

#define NO_ANSWER "the sensor does not answer on its bus"
#define STAYS_IN_RESET "the sensor does not come out of its reset"
#define SENSES_NOTHING "the sensor senses nothing"
#define ROWS_LOST "rows were lost: the sensor's FIFO ran over before they were fetched"

static inline void pause_briefly(void) {
    for (volatile uint32_t i = 0; i < PAUSE_TURNS; i++) {
    }
}

static inline bool read(uint8_t reg, uint8_t *value) {
    return bus_read(BOARD_SENSOR_ADDRESS, reg, value);
}

/* Writes registers, each with its value, in this order. Returns null, or a line that says what is wrong. */
static inline const char *write_all(const uint8_t settings[][2], size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (!bus_write(BOARD_SENSOR_ADDRESS, settings[i][0], settings[i][1])) {
            return NO_ANSWER;
        }
    }
    return NULL;
}

/* Waits until the bits `resetting` of a register are clear. Returns null, or a line that says what is wrong. */
static inline const char *await_reset(uint8_t reg, uint8_t resetting) {
    uint8_t value;
    for (uint32_t i = 0; i < PATIENCE; i++) {
        if (!read(reg, &value)) {
            return NO_ANSWER;
        }
        if (!(value & resetting)) {
            return NULL;
        }
        pause_briefly();
    }
    return STAYS_IN_RESET;
}

#endif

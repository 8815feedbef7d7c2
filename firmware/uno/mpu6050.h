/*
 * InvenSense's MPU6050 on the bus of the Wire library, at 4 g, 2000 dps and 50 Hz. Registers are those of "MPU-6000 and
 * MPU-6050 Register Map and Descriptions", RM-MPU-6000A-00, revision 4.2. Rows come from its FIFO, which keeps the last
 * 1.7 s, so that printing may take its time.
 */
#ifndef MPU6050_H
#define MPU6050_H

#include "row.h"

typedef enum {
    NO_PROBLEM,
    NO_ANSWER,
    ANOTHER_SENSOR,
    STAYS_IN_RESET,
    SENSES_NOTHING,
    ROWS_LOST,
} problem_t;

/* Resets and starts the sensor. What it has sensed before is lost. */
problem_t mpu6050_start();

/* What the sensor last said that it is, in WHO_AM_I. */
uint8_t mpu6050_identity();

/* Waits for the next row. Rows follow each other without a gap, or there is a problem, and mpu6050_start() has to be
 * called again. */
problem_t mpu6050_next(int16_t row[CHANNELS]);

#endif

/*
 * An MPU6050 as far as its registers go: written from "MPU-6000 and MPU-6050 Register Map and Descriptions",
 * RM-MPU-6000A-00, revision 4.2. What hangs it on a bus tells it how time passes.
 */
#ifndef MPU6050_MODEL_H
#define MPU6050_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#define MPU6050_CHANNELS 6
#define MPU6050_FIFO_BYTES 1024

enum {
    MPU6050_SMPLRT_DIV = 0x19,
    MPU6050_CONFIG = 0x1A,
    MPU6050_GYRO_CONFIG = 0x1B,
    MPU6050_ACCEL_CONFIG = 0x1C,
    MPU6050_FIFO_EN = 0x23,
    MPU6050_INT_ENABLE = 0x38,
    MPU6050_INT_STATUS = 0x3A,
    MPU6050_ACCEL_XOUT_H = 0x3B,
    MPU6050_TEMP_OUT_H = 0x41,
    MPU6050_GYRO_XOUT_H = 0x43,
    MPU6050_USER_CTRL = 0x6A,
    MPU6050_PWR_MGMT_1 = 0x6B,
    MPU6050_FIFO_COUNTH = 0x72,
    MPU6050_FIFO_COUNTL = 0x73,
    MPU6050_FIFO_R_W = 0x74,
    MPU6050_WHO_AM_I = 0x75,
};

typedef int16_t mpu6050_row_t[MPU6050_CHANNELS];

typedef struct {
    uint8_t identity;
    bool stays_in_reset;
    uint8_t registers[128];
    uint8_t fifo[MPU6050_FIFO_BYTES];
    uint32_t level;
    uint32_t divided; /* of the internal samples */
    /* What it senses, one row a sample, in counts of 4 g and 2000 dps. The last one stays. */
    const mpu6050_row_t *rows;
    uint32_t row_count, next_row;
    uint32_t overtime; /* samples after the last row */
} mpu6050_t;

/* Switches it on: it sleeps, and senses nothing. */
void mpu6050_power_on(mpu6050_t *sensor, uint8_t identity);

/* What it senses from now on. Without rows it never has a sample. */
void mpu6050_sense(mpu6050_t *sensor, const mpu6050_row_t *rows, uint32_t count);

/* A millisecond passes. */
void mpu6050_pass(mpu6050_t *sensor);

uint8_t mpu6050_read(mpu6050_t *sensor, uint8_t reg);
void mpu6050_write(mpu6050_t *sensor, uint8_t reg, uint8_t value);

/* Where a burst goes on after a register. */
uint8_t mpu6050_after(uint8_t reg);

#endif

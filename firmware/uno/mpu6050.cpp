#include "mpu6050.h"

#include <Arduino.h>
#include <Wire.h>
#include <avr/sleep.h>

enum {
    SMPLRT_DIV = 0x19,
    CONFIG = 0x1A,
    GYRO_CONFIG = 0x1B,
    ACCEL_CONFIG = 0x1C,
    FIFO_EN = 0x23,
    INT_ENABLE = 0x38,
    INT_STATUS = 0x3A,
    USER_CTRL = 0x6A,
    PWR_MGMT_1 = 0x6B,
    FIFO_COUNTH = 0x72,
    FIFO_R_W = 0x74,
    WHO_AM_I = 0x75,
};

static const uint8_t ADDRESS = 0x68;
static const uint8_t IDENTITY = 0x68;

static const uint8_t DEVICE_RESET = 0x80;
static const uint8_t CLOCK_OF_GYROSCOPE_X =
    1;                                 /* steadier than its own, says the register map; and it sleeps no longer */
static const uint8_t FILTER_21_HZ = 4; /* with any filter the sensor samples at 1 kHz before it divides */
static const uint8_t DIVIDE_BY_20 = 19;
static const uint8_t RANGE_2000_DPS = 3 << 3;
static const uint8_t RANGE_4_G = 1 << 3;
static const uint8_t FIFO_RESET = 0x04;
static const uint8_t FIFO_ENABLE = 0x40;
static const uint8_t FIFO_OVERFLOW = 0x10; /* in INT_ENABLE and in INT_STATUS, which is cleared as it is read */
static const uint8_t ACCELERATION_AND_ANGULAR_RATE = 0x78;

static const uint8_t ROW_BYTES = 2 * CHANNELS;
static const uint16_t RESET_MS = 100;
static const uint16_t START_UP_MS = 100; /* the gyroscope needs 30 ms: PS-MPU-6000A-00, section 6.1 */
static const uint16_t LOOK_MS = 4;
static const uint16_t PATIENCE_MS = 1000;
static const uint32_t BUS_HZ = 400000;
static const uint32_t BUS_PATIENCE_US = 25000;

static uint8_t identity;

static bool read(uint8_t reg, uint8_t *values, uint8_t count) {
    Wire.beginTransmission(ADDRESS);
    Wire.write(reg);
    if (Wire.endTransmission(false) != 0 || Wire.requestFrom(ADDRESS, count) != count) {
        return false;
    }
    for (uint8_t i = 0; i < count; i++) {
        values[i] = (uint8_t)Wire.read();
    }
    return true;
}

static bool write(uint8_t reg, uint8_t value) {
    Wire.beginTransmission(ADDRESS);
    Wire.write(reg);
    Wire.write(value);
    return Wire.endTransmission() == 0;
}

/* The core sleeps until an interrupt, such as that of the millisecond. */
static void doze(uint16_t milliseconds) {
    uint32_t begun = millis();
    while (millis() - begun < milliseconds) {
        sleep_mode();
    }
}

/* Starts again from the defaults of the register map: it may have been left in any state, because it keeps its power
 * when the Uno is reset. */
static problem_t reset() {
    uint8_t power = DEVICE_RESET;
    if (!write(PWR_MGMT_1, DEVICE_RESET)) {
        return NO_ANSWER;
    }
    doze(RESET_MS);
    if (!read(PWR_MGMT_1, &power, 1)) {
        return NO_ANSWER;
    }
    return power & DEVICE_RESET ? STAYS_IN_RESET : NO_PROBLEM;
}

static bool write_all(const uint8_t settings[][2], uint8_t count) {
    for (uint8_t i = 0; i < count; i++) {
        if (!write(settings[i][0], settings[i][1])) {
            return false;
        }
    }
    return true;
}

problem_t mpu6050_start() {
    static const uint8_t wake[][2] = {
        {PWR_MGMT_1, CLOCK_OF_GYROSCOPE_X}, {CONFIG, FILTER_21_HZ},    {SMPLRT_DIV, DIVIDE_BY_20},
        {GYRO_CONFIG, RANGE_2000_DPS},      {ACCEL_CONFIG, RANGE_4_G},
    };
    static const uint8_t fill[][2] = {
        {INT_ENABLE, FIFO_OVERFLOW},
        {FIFO_EN, ACCELERATION_AND_ANGULAR_RATE},
        {USER_CTRL, FIFO_RESET},
        {USER_CTRL, FIFO_ENABLE},
    };
    Wire.begin();
    Wire.setClock(BUS_HZ);
    Wire.setWireTimeout(BUS_PATIENCE_US, true);
    set_sleep_mode(SLEEP_MODE_IDLE);
    if (!read(WHO_AM_I, &identity, 1)) {
        return NO_ANSWER;
    }
    if (identity != IDENTITY) {
        return ANOTHER_SENSOR;
    }
    problem_t problem = reset();
    if (problem != NO_PROBLEM) {
        return problem;
    }
    if (!write_all(wake, sizeof wake / sizeof *wake)) {
        return NO_ANSWER;
    }
    doze(START_UP_MS);
    return write_all(fill, sizeof fill / sizeof *fill) ? NO_PROBLEM : NO_ANSWER;
}

uint8_t mpu6050_identity() {
    return identity;
}

static problem_t await_row() {
    uint32_t begun = millis();
    for (;;) {
        uint8_t count[2];
        if (!read(FIFO_COUNTH, count, 2)) {
            return NO_ANSWER;
        }
        if ((uint16_t)(count[0] << 8 | count[1]) >= ROW_BYTES) {
            return NO_PROBLEM;
        }
        if (millis() - begun > PATIENCE_MS) {
            return SENSES_NOTHING;
        }
        doze(LOOK_MS);
    }
}

problem_t mpu6050_next(int16_t row[CHANNELS]) {
    uint8_t bytes[ROW_BYTES], status;
    problem_t problem = await_row();
    if (problem != NO_PROBLEM) {
        return problem;
    }
    if (!read(FIFO_R_W, bytes, ROW_BYTES) || !read(INT_STATUS, &status, 1)) {
        return NO_ANSWER;
    }
    /* Asked after the row was fetched, because the FIFO may run over until then, and is out of step afterwards. */
    if (status & FIFO_OVERFLOW) {
        return ROWS_LOST;
    }
    for (uint8_t i = 0; i < CHANNELS; i++) {
        row[i] = (int16_t)((uint16_t)bytes[2 * i] << 8 | bytes[2 * i + 1]);
    }
    return NO_PROBLEM;
}

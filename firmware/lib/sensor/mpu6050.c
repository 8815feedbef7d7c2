/*
 * InvenSense's MPU6050: accelerometer at 4 g and gyroscope at 2000 dps, at 50 Hz behind its filter of 21 Hz. Registers
 * are those of "MPU-6000 and MPU-6050 Register Map and Descriptions", RM-MPU-6000A-00, revision 4.2. Rows come from its
 * FIFO, which keeps the last 1.7 s, so the host may take its time.
 */
#include "driver.h"

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
    FIFO_COUNTL = 0x73,
    FIFO_R_W = 0x74,
    WHO_AM_I = 0x75,
};

#define IDENTITY 0x68
#define DEVICE_RESET 0x80
#define CLOCK_OF_GYROSCOPE_X 1 /* steadier than its own, says the register map; and the sensor sleeps no longer */
#define FILTER_21_HZ 4         /* with any filter it samples at 1 kHz before it divides */
#define DIVIDE_BY_20 19
#define RANGE_2000_DPS (3 << 3)
#define RANGE_4_G (1 << 3)
#define FIFO_RESET 0x04
#define FIFO_ENABLE 0x40
#define FIFO_OVERFLOW 0x10 /* in INT_ENABLE and in INT_STATUS, which is cleared as it is read */
#define ACCELERATION_AND_ANGULAR_RATE 0x78

/* Pauses of 0.1 ms at least: the gyroscope needs 30 ms to start up (PS-MPU-6000A-00, revision 3.4, section 6.1). */
#define START_UP_PAUSES 500

const char *sensor_start(void) {
    static const uint8_t reset[][2] = {{PWR_MGMT_1, DEVICE_RESET}};
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
    uint8_t identity;
    const char *problem;
    bus_init();
    if (!read(WHO_AM_I, &identity)) {
        return NO_ANSWER;
    }
    if (identity != IDENTITY) {
        return "the sensor is no MPU6050";
    }
    problem = write_all(reset, 1);
    problem = problem ? problem : await_reset(PWR_MGMT_1, DEVICE_RESET);
    problem = problem ? problem : write_all(wake, sizeof wake / sizeof *wake);
    for (uint32_t i = 0; !problem && i < START_UP_PAUSES; i++) {
        pause_briefly();
    }
    return problem ? problem : write_all(fill, sizeof fill / sizeof *fill);
}

/* Waits for a row in the FIFO. Bytes that come in between the two halves of their number make it too small at worst. */
static const char *await_row(void) {
    uint8_t high, low;
    for (uint32_t i = 0; i < PATIENCE; i++) {
        if (!read(FIFO_COUNTH, &high) || !read(FIFO_COUNTL, &low)) {
            return NO_ANSWER;
        }
        if (high > 0 || low >= SENSOR_ROW_BYTES) {
            return NULL;
        }
        pause_briefly();
    }
    return SENSES_NOTHING;
}

const char *sensor_next(uint8_t row[SENSOR_ROW_BYTES]) {
    uint8_t status;
    const char *problem = await_row();
    if (problem) {
        return problem;
    }
    for (uint8_t i = 0; i < SENSOR_ROW_BYTES; i++) {
        if (!read(FIFO_R_W, &row[i ^ 1u])) { /* the high byte of a number comes first */
            return NO_ANSWER;
        }
    }
    if (!read(INT_STATUS, &status)) {
        return NO_ANSWER;
    }
    /* Asked after the row was fetched, because the FIFO may run over until then, and is out of step afterwards. */
    return status & FIFO_OVERFLOW ? ROWS_LOST : NULL;
}

#include "mpu6050_model.h"

#include <string.h>

#define DEVICE_RESET 0x80
#define SLEEP 0x40
#define FIFO_RESET 0x04
#define FIFO_ENABLE 0x40
#define FIFO_OVERFLOW 0x10
#define DATA_READY 0x01

/* Bits of FIFO_EN and what they let in, in the order of the FIFO: that of the registers. The temperature is 0x80. */
static const struct {
    uint8_t bit, reg, bytes;
} SOURCES[] = {
    {0x08, MPU6050_ACCEL_XOUT_H, 6},    {0x80, MPU6050_TEMP_OUT_H, 2},      {0x40, MPU6050_GYRO_XOUT_H, 2},
    {0x20, MPU6050_GYRO_XOUT_H + 2, 2}, {0x10, MPU6050_GYRO_XOUT_H + 4, 2},
};

static void reset(mpu6050_t *sensor) {
    memset(sensor->registers, 0, sizeof sensor->registers);
    sensor->registers[MPU6050_PWR_MGMT_1] = SLEEP;
    sensor->level = sensor->divided = 0;
}

void mpu6050_power_on(mpu6050_t *sensor, uint8_t identity) {
    memset(sensor, 0, sizeof *sensor);
    sensor->identity = identity;
    reset(sensor);
}

void mpu6050_sense(mpu6050_t *sensor, const mpu6050_row_t *rows, uint32_t count) {
    sensor->rows = rows;
    sensor->row_count = count;
    sensor->next_row = sensor->overtime = 0;
}

static void raise_interrupt(mpu6050_t *sensor, uint8_t bit) {
    sensor->registers[MPU6050_INT_STATUS] |= sensor->registers[MPU6050_INT_ENABLE] & bit;
}

/* A full FIFO loses its oldest byte. */
static void put(mpu6050_t *sensor, uint8_t byte) {
    if (sensor->level == MPU6050_FIFO_BYTES) {
        memmove(sensor->fifo, sensor->fifo + 1, MPU6050_FIFO_BYTES - 1);
        sensor->level--;
        raise_interrupt(sensor, FIFO_OVERFLOW);
    }
    sensor->fifo[sensor->level++] = byte;
}

/* Counts of the full scale that is set: one of 2 g, or 250 dps, has twice as many as the next. */
static int16_t scaled(const mpu6050_t *sensor, int16_t value, uint32_t channel) {
    bool accelerates = channel < MPU6050_CHANNELS / 2;
    uint32_t range = sensor->registers[accelerates ? MPU6050_ACCEL_CONFIG : MPU6050_GYRO_CONFIG] >> 3 & 3;
    int32_t counts = value * (1 << (3 - range)) / (accelerates ? 4 : 1);
    return (int16_t)(counts > INT16_MAX ? INT16_MAX : counts < INT16_MIN ? INT16_MIN : counts);
}

static void fill_fifo(mpu6050_t *sensor) {
    for (uint32_t i = 0; i < sizeof SOURCES / sizeof *SOURCES; i++) {
        for (uint32_t n = 0; sensor->registers[MPU6050_FIFO_EN] & SOURCES[i].bit && n < SOURCES[i].bytes; n++) {
            put(sensor, sensor->registers[SOURCES[i].reg + n]);
        }
    }
}

static void sample(mpu6050_t *sensor) {
    if (sensor->row_count == 0) {
        return;
    }
    if (sensor->next_row < sensor->row_count) {
        sensor->next_row++;
    } else {
        sensor->overtime++;
    }
    const int16_t *row = sensor->rows[sensor->next_row - 1];
    for (uint32_t i = 0; i < MPU6050_CHANNELS; i++) {
        uint8_t *out = &sensor->registers[i < 3 ? MPU6050_ACCEL_XOUT_H + 2 * i : MPU6050_GYRO_XOUT_H + 2 * (i - 3)];
        uint16_t counts = (uint16_t)scaled(sensor, row[i], i);
        out[0] = (uint8_t)(counts >> 8);
        out[1] = (uint8_t)counts;
    }
    raise_interrupt(sensor, DATA_READY);
    if (sensor->registers[MPU6050_USER_CTRL] & FIFO_ENABLE) {
        fill_fifo(sensor);
    }
}

/* Without a low-pass filter there are 8 internal samples a millisecond, with one there is 1. */
void mpu6050_pass(mpu6050_t *sensor) {
    uint8_t filter = sensor->registers[MPU6050_CONFIG] & 7;
    if (sensor->registers[MPU6050_PWR_MGMT_1] & SLEEP) {
        return;
    }
    for (uint32_t i = filter == 0 || filter == 7 ? 8 : 1; i > 0; i--) {
        if (++sensor->divided > sensor->registers[MPU6050_SMPLRT_DIV]) {
            sensor->divided = 0;
            sample(sensor);
        }
    }
}

static uint8_t fetch(mpu6050_t *sensor) {
    if (sensor->level == 0) {
        return 0xFF;
    }
    uint8_t byte = sensor->fifo[0];
    memmove(sensor->fifo, sensor->fifo + 1, --sensor->level);
    return byte;
}

uint8_t mpu6050_read(mpu6050_t *sensor, uint8_t reg) {
    uint8_t value = sensor->registers[reg & 0x7F];
    switch (reg) {
    case MPU6050_INT_STATUS: /* cleared as it is read */
        sensor->registers[reg] = 0;
        return value;
    case MPU6050_FIFO_COUNTH:
        return (uint8_t)(sensor->level >> 8);
    case MPU6050_FIFO_COUNTL:
        return (uint8_t)sensor->level;
    case MPU6050_FIFO_R_W:
        return fetch(sensor);
    case MPU6050_WHO_AM_I:
        return sensor->identity;
    default:
        return value;
    }
}

void mpu6050_write(mpu6050_t *sensor, uint8_t reg, uint8_t value) {
    switch (reg) {
    case MPU6050_PWR_MGMT_1:
        if (value & DEVICE_RESET) {
            reset(sensor);
            sensor->registers[reg] |= sensor->stays_in_reset ? DEVICE_RESET : 0;
            return;
        }
        break;
    case MPU6050_USER_CTRL: /* the FIFO is only reset while it is off */
        if (value & FIFO_RESET && !(value & FIFO_ENABLE)) {
            sensor->level = 0;
        }
        value &= (uint8_t)~FIFO_RESET;
        break;
    case MPU6050_INT_STATUS:
    case MPU6050_WHO_AM_I:
        return;
    default:
        break;
    }
    sensor->registers[reg & 0x7F] = value;
}

/* A burst that reads the FIFO stays there. */
uint8_t mpu6050_after(uint8_t reg) {
    return reg == MPU6050_FIFO_R_W ? reg : (uint8_t)((reg + 1) & 0x7F);
}

/*
 * A bus with an MPU6050 on it, for its driver. Time passes with each look at the number of bytes in a FIFO that has no
 * whole row: `burst` rows come in. If `late` is set they do so between the two halves of the number; if `halved` is,
 * the second half of the last row only comes in before the next look.
 */
#include "bus.h"
#include "mpu6050_model.h"

#include <string.h>

#define ADDRESS 0x68
#define ROW_BYTES 12
#define FUTURE 4096

static struct {
    mpu6050_t sensor;
    mpu6050_row_t future[FUTURE];
    uint32_t laid_up, burst, milliseconds, looks;
    bool late, halved;
    uint8_t half[ROW_BYTES / 2];
    uint32_t to_come;     /* bytes of `half` */
    int32_t answers_left; /* negative: it always answers */
} bus;

void model_begin(uint8_t identity, int32_t answers, bool stays_in_reset) {
    memset(&bus, 0, sizeof bus);
    mpu6050_power_on(&bus.sensor, identity);
    memset(bus.sensor.registers, 0xFF, sizeof bus.sensor.registers); /* whatever another program left */
    bus.sensor.stays_in_reset = stays_in_reset;
    bus.answers_left = answers;
}

/* What is sensed from now on. */
void model_lay_up(const mpu6050_row_t *rows, uint32_t count, uint32_t burst, bool late, bool halved) {
    memcpy(bus.future, rows, count * sizeof *rows);
    mpu6050_sense(&bus.sensor, bus.future, count);
    bus.burst = burst;
    bus.late = late;
    bus.halved = halved;
}

uint8_t model_register(uint8_t reg) {
    return bus.sensor.registers[reg];
}

uint32_t model_milliseconds(void) {
    return bus.milliseconds;
}

uint32_t model_looks(void) {
    return bus.looks;
}

/* Of a sensor that sleeps no rows ever come. */
static void pass_time(void) {
    uint32_t end = bus.sensor.next_row + bus.burst, patience = 100 * bus.burst;
    if (end > bus.sensor.row_count) {
        end = bus.sensor.row_count;
    }
    for (; patience > 0 && bus.sensor.next_row < end; patience--) {
        mpu6050_pass(&bus.sensor);
        bus.milliseconds++;
    }
    if (bus.halved && bus.sensor.level > 0) {
        bus.to_come = sizeof bus.half;
        bus.sensor.level -= bus.to_come;
        memcpy(bus.half, bus.sensor.fifo + bus.sensor.level, bus.to_come);
    }
}

static bool answers(uint8_t address) {
    if (address != ADDRESS || bus.answers_left == 0) {
        return false;
    }
    bus.answers_left -= bus.answers_left > 0;
    return true;
}

void bus_init(void) {}

bool bus_read(uint8_t address, uint8_t reg, uint8_t *value) {
    if (!answers(address)) {
        return false;
    }
    if (reg == MPU6050_FIFO_COUNTH) {
        bus.looks++;
        memcpy(bus.sensor.fifo + bus.sensor.level, bus.half, bus.to_come);
        bus.sensor.level += bus.to_come;
        bus.to_come = 0;
    }
    if (reg == (bus.late ? MPU6050_FIFO_COUNTL : MPU6050_FIFO_COUNTH) && bus.sensor.level < ROW_BYTES) {
        pass_time();
    }
    *value = mpu6050_read(&bus.sensor, reg);
    return true;
}

bool bus_write(uint8_t address, uint8_t reg, uint8_t value) {
    if (!answers(address)) {
        return false;
    }
    mpu6050_write(&bus.sensor, reg, value);
    return true;
}

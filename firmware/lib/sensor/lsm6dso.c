/*
 * ST's LSM6DSO: accelerometer at 4 g and gyroscope at 2000 dps, both at 104 Hz (data sheet DS12140). Rows come from its
 * FIFO, which keeps the last 2.4 s, so the host may take its time.
 */
#include "driver.h"

#include <string.h>

enum {
    FIFO_CTRL3 = 0x09,
    FIFO_CTRL4 = 0x0A,
    WHO_AM_I = 0x0F,
    CTRL1_XL = 0x10,
    CTRL2_G = 0x11,
    CTRL3_C = 0x12,
    FIFO_STATUS1 = 0x3A,
    FIFO_STATUS2 = 0x3B,
    FIFO_DATA_OUT_TAG = 0x78, /* the registers of the x, y and z of a word follow */
};

#define IDENTITY 0x6C
#define RATE_104_HZ 4u
#define RANGE_4_G 2u
#define RANGE_2000_DPS 3u
#define ADDRESS_RISES (1u << 2)
#define SOFTWARE_RESET 1u
#define FIFO_BYPASS 0u
#define FIFO_CONTINUOUS 6u
#define LEVEL_HIGH 3u
#define OVERRUN (1u << 6 | 1u << 3) /* now, and since the register was read last */

/* Tags of words. */
#define ANGULAR_RATE 1u
#define ACCELERATION 2u

#define WORD_BYTES 6

/* A word of the FIFO whose counterpart has not come yet. */
typedef struct {
    bool is_waiting;
    uint8_t slot; /* words of the same moment have the same number, of two bits */
    uint8_t xyz[WORD_BYTES];
} word_t;

static word_t acceleration, angular_rate;

/* Starts again from the defaults of the data sheet: another program may have left it in any state. */
static const char *reset(void) {
    static const uint8_t settings[][2] = {{CTRL3_C, ADDRESS_RISES | SOFTWARE_RESET}};
    const char *problem = write_all(settings, 1);
    return problem ? problem : await_reset(CTRL3_C, SOFTWARE_RESET);
}

static const char *set_up(void) {
    static const uint8_t settings[][2] = {
        {CTRL1_XL, RATE_104_HZ << 4 | RANGE_4_G << 2},
        {CTRL2_G, RATE_104_HZ << 4 | RANGE_2000_DPS << 2},
        {FIFO_CTRL4, FIFO_BYPASS}, /* empties it */
        {FIFO_CTRL3, RATE_104_HZ << 4 | RATE_104_HZ},
        {FIFO_CTRL4, FIFO_CONTINUOUS},
    };
    return write_all(settings, sizeof settings / sizeof *settings);
}

const char *sensor_start(void) {
    uint8_t identity;
    acceleration.is_waiting = false;
    angular_rate.is_waiting = false;
    bus_init();
    if (!read(WHO_AM_I, &identity)) {
        return NO_ANSWER;
    }
    if (identity != IDENTITY) {
        return "the sensor is no LSM6DSO";
    }
    const char *problem = reset();
    return problem ? problem : set_up();
}

/* Waits for a word in the FIFO. */
static const char *await_word(void) {
    uint8_t low, high;
    for (uint32_t i = 0; i < PATIENCE; i++) {
        if (!read(FIFO_STATUS1, &low) || !read(FIFO_STATUS2, &high)) {
            return NO_ANSWER;
        }
        if (high & OVERRUN) {
            return ROWS_LOST;
        }
        if (low || high & LEVEL_HIGH) {
            return NULL;
        }
        pause_briefly();
    }
    return SENSES_NOTHING;
}

/* Takes a word out of the FIFO and sets `taken` to where it is kept; null if it is of another kind. */
static const char *take_word(word_t **taken) {
    uint8_t tag, xyz[WORD_BYTES];
    bool done = read(FIFO_DATA_OUT_TAG, &tag);
    for (uint8_t i = 0; done && i < WORD_BYTES; i++) {
        done = read((uint8_t)(FIFO_DATA_OUT_TAG + 1 + i), &xyz[i]);
    }
    if (!done) {
        return NO_ANSWER;
    }
    uint8_t kind = tag >> 3;
    *taken = kind == ACCELERATION ? &acceleration : kind == ANGULAR_RATE ? &angular_rate : NULL;
    if (*taken) {
        (*taken)->is_waiting = true;
        (*taken)->slot = tag >> 1 & 3;
        memcpy((*taken)->xyz, xyz, WORD_BYTES);
    }
    return NULL;
}

const char *sensor_next(uint8_t row[SENSOR_ROW_BYTES]) {
    /* A word without a counterpart, such as those before the gyroscope has started up, is replaced by the next one. */
    while (!(acceleration.is_waiting && angular_rate.is_waiting)) {
        word_t *taken = NULL;
        const char *problem = await_word();
        if (!problem) {
            problem = take_word(&taken);
        }
        if (problem) {
            return problem;
        }
        if (taken && acceleration.slot != angular_rate.slot) {
            (taken == &acceleration ? &angular_rate : &acceleration)->is_waiting = false;
        }
    }
    memcpy(row, acceleration.xyz, WORD_BYTES);
    memcpy(row + WORD_BYTES, angular_rate.xyz, WORD_BYTES);
    acceleration.is_waiting = false;
    angular_rate.is_waiting = false;
    return NULL;
}

/*
 * A bus with an LSM6DSO on it, as far as registers go: written from its data sheet (DS12140), and where that is silent
 * a word leaves the FIFO as its tag is read. Time passes with each look at the level of an empty FIFO: the next words
 * that the test has laid up come in.
 */
#include "bus.h"

#include <string.h>

#define ADDRESS 0x6A
#define WORDS 512
#define WORD_BYTES 7
#define FUTURE 4096

enum {
    FIFO_CTRL3 = 0x09,
    FIFO_CTRL4 = 0x0A,
    WHO_AM_I = 0x0F,
    CTRL1_XL = 0x10,
    CTRL2_G = 0x11,
    CTRL3_C = 0x12,
    FIFO_STATUS1 = 0x3A,
    FIFO_STATUS2 = 0x3B,
    FIFO_DATA_OUT_TAG = 0x78,
};

static struct {
    uint8_t registers[128];
    uint8_t identity;
    uint8_t fifo[WORDS][WORD_BYTES], out[WORD_BYTES];
    uint32_t level;
    bool overrun_now, overrun_latched;
    uint8_t future[FUTURE][WORD_BYTES];
    uint32_t next, laid_up, burst;
    int32_t answers_left; /* negative: it always answers */
    bool stays_in_reset;
    uint32_t looks;
} model;

/* Forgets everything. The device answers `answers` more times, always if that is negative. */
void model_begin(uint8_t identity, int32_t answers, bool stays_in_reset) {
    memset(&model, 0, sizeof model);
    model.identity = identity;
    model.answers_left = answers;
    model.stays_in_reset = stays_in_reset;
    memset(model.registers, 0xFF, sizeof model.registers); /* whatever another program left */
}

/* Lays up words that the FIFO will get, `burst` at a time. */
void model_lay_up(const uint8_t *words, uint32_t count, uint32_t burst) {
    memcpy(model.future[model.laid_up], words, count * WORD_BYTES);
    model.laid_up += count;
    model.burst = burst;
}

uint8_t model_register(uint8_t reg) {
    return model.registers[reg];
}

uint32_t model_looks(void) {
    return model.looks;
}

static void put(const uint8_t *word) {
    if (model.level == WORDS) {
        memmove(model.fifo[0], model.fifo[1], sizeof model.fifo - WORD_BYTES);
        model.level--;
        model.overrun_now = model.overrun_latched = true;
    }
    memcpy(model.fifo[model.level++], word, WORD_BYTES);
}

static void pass_time(void) {
    const uint8_t *set = model.registers;
    bool runs = set[CTRL1_XL] >> 4 && set[CTRL2_G] >> 4 && set[FIFO_CTRL3] >> 4 && set[FIFO_CTRL3] & 0xF;
    model.looks++;
    if (model.level > 0) {
        return;
    }
    for (uint32_t i = 0; i < model.burst; i++) {
        if (!runs || (set[FIFO_CTRL4] & 7) != 6 || model.next == model.laid_up) {
            return;
        }
        put(model.future[model.next++]);
    }
}

static void dequeue(void) {
    if (model.level == 0) {
        memset(model.out, 0, sizeof model.out);
        return;
    }
    memcpy(model.out, model.fifo[0], WORD_BYTES);
    memmove(model.fifo[0], model.fifo[1], sizeof model.fifo - WORD_BYTES);
    model.level--;
    model.overrun_now = false;
}

static bool answers(uint8_t address) {
    if (address != ADDRESS || model.answers_left == 0) {
        return false;
    }
    model.answers_left -= model.answers_left > 0;
    return true;
}

void bus_init(void) {}

bool bus_read(uint8_t address, uint8_t reg, uint8_t *value) {
    if (!answers(address)) {
        return false;
    }
    switch (reg) {
    case WHO_AM_I:
        *value = model.identity;
        break;
    case FIFO_STATUS1:
        pass_time();
        *value = (uint8_t)model.level;
        break;
    case FIFO_STATUS2:
        *value = (uint8_t)(model.level >> 8 | model.overrun_now << 6 | model.overrun_latched << 3);
        model.overrun_latched = false;
        break;
    default:
        if (reg == FIFO_DATA_OUT_TAG) {
            dequeue();
        }
        *value = reg >= FIFO_DATA_OUT_TAG && reg < FIFO_DATA_OUT_TAG + WORD_BYTES ? model.out[reg - FIFO_DATA_OUT_TAG]
                                                                                  : model.registers[reg];
    }
    return true;
}

bool bus_write(uint8_t address, uint8_t reg, uint8_t value) {
    if (!answers(address)) {
        return false;
    }
    if (reg == CTRL3_C && value & 1) {
        memset(model.registers, 0, sizeof model.registers);
        model.registers[CTRL3_C] = model.stays_in_reset ? 0x05 : 0x04;
        return true;
    }
    model.registers[reg] = value;
    if (reg == FIFO_CTRL4 && (value & 7) == 0) {
        model.level = 0;
        model.overrun_now = model.overrun_latched = false;
    }
    return true;
}

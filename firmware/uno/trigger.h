/*
 * When a gesture begins. The motion of a row is the sum, over the three axes, of how far acceleration is from its slow
 * mean; gravity is in both, so that it does not count, however the arm is held. A gesture begins with the first row
 * whose motion meets the threshold after half a second of rows that did not, and with some rows before it. The mean
 * follows in 0.64 s, and starts anew with each row that meets the threshold.
 */
#ifndef TRIGGER_H
#define TRIGGER_H

#include "row.h"

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PRETRIGGER_MOST 20
#define STILL_ROWS 25

typedef struct {
    uint16_t threshold; /* in hundredths of g; 0: a gesture begins with any row */
    uint8_t pretrigger; /* rows before the motion that belong to a gesture, at most PRETRIGGER_MOST */
    /* The rest is the trigger's own. */
    int16_t rows[PRETRIGGER_MOST][CHANNELS];
    uint8_t kept, oldest;
    uint8_t still; /* rows since the last motion, at most STILL_ROWS */
    bool has_mean;
    int32_t mean[AXES]; /* times MEAN_ROWS */
} trigger_t;

/* Waits for a gesture, and forgets all rows. */
void trigger_begin(trigger_t *trigger);

/* Takes the next row. Returns whether a gesture begins with it, and with the rows that are kept. */
bool trigger_starts(trigger_t *trigger, const int16_t row[CHANNELS]);

/* The number of rows that are kept, and each of them, 0 being the oldest. */
uint8_t trigger_kept(const trigger_t *trigger);
const int16_t *trigger_row(const trigger_t *trigger, uint8_t index);

#ifdef __cplusplus
}
#endif

#endif

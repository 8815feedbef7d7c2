#include "trigger.h"

#include <string.h>

/* The slow mean follows with a time constant of so many rows, 0.64 s. */
#define MEAN_ROWS 32

void trigger_begin(trigger_t *trigger) {
    trigger->kept = trigger->oldest = trigger->still = 0;
    trigger->has_mean = false;
}

static bool meets_threshold(const trigger_t *trigger, const int16_t row[CHANNELS]) {
    uint32_t motion = 0;
    for (uint8_t axis = 0; axis < AXES; axis++) {
        int32_t from_mean = row[axis] - trigger->mean[axis] / MEAN_ROWS;
        motion += (uint32_t)(from_mean < 0 ? -from_mean : from_mean);
    }
    return motion * 100 >= trigger->threshold * (uint32_t)COUNTS_PER_G;
}

static void follow(trigger_t *trigger, const int16_t row[CHANNELS]) {
    for (uint8_t axis = 0; axis < AXES; axis++) {
        int32_t *mean = &trigger->mean[axis];
        *mean = trigger->has_mean ? *mean + row[axis] - *mean / MEAN_ROWS : (int32_t)row[axis] * MEAN_ROWS;
    }
    trigger->has_mean = true;
}

static void keep(trigger_t *trigger, const int16_t row[CHANNELS]) {
    if (trigger->pretrigger == 0) {
        return;
    }
    uint8_t at;
    if (trigger->kept < trigger->pretrigger) {
        at = trigger->kept++;
    } else {
        at = trigger->oldest;
        trigger->oldest = (uint8_t)((at + 1) % trigger->pretrigger);
    }
    memcpy(trigger->rows[at], row, sizeof trigger->rows[at]);
}

bool trigger_starts(trigger_t *trigger, const int16_t row[CHANNELS]) {
    if (trigger->threshold == 0) {
        return true;
    }
    bool moves = trigger->has_mean && meets_threshold(trigger, row);
    if (moves && trigger->still == STILL_ROWS) {
        return true;
    }
    /* While it moves, and after a gesture that ended with the arm held otherwise, the mean starts anew. */
    trigger->has_mean = trigger->has_mean && !moves;
    trigger->still = moves ? 0 : (uint8_t)(trigger->still + (trigger->still < STILL_ROWS));
    follow(trigger, row);
    keep(trigger, row);
    return false;
}

uint8_t trigger_kept(const trigger_t *trigger) {
    return trigger->kept;
}

const int16_t *trigger_row(const trigger_t *trigger, uint8_t index) {
    return trigger->rows[(trigger->oldest + index) % trigger->kept];
}

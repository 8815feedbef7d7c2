/* What each channel shows while the sensor lies still: its offset, and for acceleration also its share of gravity. */
#ifndef CALIBRATION_H
#define CALIBRATION_H

#include "row.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A second. */
#define CALIBRATION_ROWS 50

typedef struct {
    int32_t sum[CHANNELS];
    int16_t least[CHANNELS], most[CHANNELS];
    uint8_t rows;
} calibration_t;

typedef enum { CALIBRATION_GOES_ON, CALIBRATION_MOVED, CALIBRATION_DONE } calibration_state_t;

void calibration_begin(calibration_t *calibration);

/* Takes the next row. Once it has moved, it has to begin again. */
calibration_state_t calibration_take(calibration_t *calibration, const int16_t row[CHANNELS]);

/* The mean of a channel, in counts, once it is done. */
int16_t calibration_mean(const calibration_t *calibration, uint8_t channel);

#ifdef __cplusplus
}
#endif

#endif

#include "calibration.h"

#include <string.h>

/* How far the values of a channel may be apart at rest: a hand that is held still trembles by less. */
#define STILL_COUNTS_OF_ACCELERATION ((int32_t)COUNTS_PER_G / 10)
#define STILL_COUNTS_OF_ANGULAR_RATE ((int32_t)TENTHS_OF_COUNTS_PER_DPS) /* 10 dps */

void calibration_begin(calibration_t *calibration) {
    memset(calibration, 0, sizeof *calibration);
}

calibration_state_t calibration_take(calibration_t *calibration, const int16_t row[CHANNELS]) {
    for (uint8_t i = 0; i < CHANNELS; i++) {
        if (calibration->rows == 0 || row[i] < calibration->least[i]) {
            calibration->least[i] = row[i];
        }
        if (calibration->rows == 0 || row[i] > calibration->most[i]) {
            calibration->most[i] = row[i];
        }
        int32_t limit = i < AXES ? STILL_COUNTS_OF_ACCELERATION : STILL_COUNTS_OF_ANGULAR_RATE;
        if ((int32_t)calibration->most[i] - calibration->least[i] > limit) {
            return CALIBRATION_MOVED;
        }
        calibration->sum[i] += row[i];
    }
    calibration->rows++;
    return calibration->rows < CALIBRATION_ROWS ? CALIBRATION_GOES_ON : CALIBRATION_DONE;
}

int16_t calibration_mean(const calibration_t *calibration, uint8_t channel) {
    int32_t sum = calibration->sum[channel];
    return (int16_t)((sum + (sum < 0 ? -CALIBRATION_ROWS / 2 : CALIBRATION_ROWS / 2)) / CALIBRATION_ROWS);
}

/*
 * Records gestures with an MPU6050 on an Arduino Uno (VCC 5 V of a breakout board, GND, SDA A4, SCL A5), and prints
 * them at 115,200 baud, as docs/capture.md describes. A gesture is 30 lines of six numbers, acceleration along x, y and
 * z in g and angular rate about x, y and z in dps, and an empty line. Lines that begin with # are not of a gesture.
 */
#include "calibration.h"
#include "command.h"
#include "mpu6050.h"
#include "text.h"
#include "trigger.h"

static const uint8_t GESTURE_ROWS = 30;
static const uint16_t THRESHOLD = 50;
static const uint8_t PRETRIGGER_ROWS = 5;
static const uint16_t RETRY_MS = 1000;

static trigger_t trigger;
static command_t command;
static uint8_t rows_to_come; /* of the gesture that is being recorded */

static void print_row(const int16_t row[CHANNELS]) {
    char line[ROW_TEXT_BYTES];
    text_row(line, row);
    Serial.print(line);
}

static void print_threshold() {
    char number[NUMBER_TEXT_BYTES];
    text_hundredths(number, trigger.threshold);
    Serial.print(F("# threshold_g: "));
    Serial.print(number);
    Serial.print('\n');
}

static void print_pretrigger() {
    Serial.print(F("# pretrigger_rows: "));
    Serial.print(trigger.pretrigger);
    Serial.print('\n');
}

static void print_problem(problem_t problem) {
    Serial.print(F("# error: "));
    switch (problem) {
    case NO_ANSWER:
        Serial.print(F("no sensor answers at 0x68: check VCC, GND, SDA (A4) and SCL (A5), and that AD0 is low"));
        break;
    case ANOTHER_SENSOR:
        Serial.print(F("the sensor is no MPU6050: WHO_AM_I is 0x"));
        Serial.print(mpu6050_identity(), HEX);
        Serial.print(F(", not 0x68"));
        break;
    case STAYS_IN_RESET:
        Serial.print(F("the sensor does not come out of its reset"));
        break;
    case SENSES_NOTHING:
        Serial.print(F("the sensor senses nothing"));
        break;
    default:
        Serial.print(F("rows were lost: the sensor's FIFO ran over before they were fetched"));
        break;
    }
    Serial.print('\n');
}

/* Waits until the sensor lies still, and prints the mean of each channel meanwhile. */
static problem_t calibrate() {
    calibration_t calibration;
    int16_t row[CHANNELS];
    Serial.print(F("# calibration: hold the sensor still\n"));
    calibration_begin(&calibration);
    for (;;) {
        problem_t problem = mpu6050_next(row);
        if (problem != NO_PROBLEM) {
            return problem;
        }
        switch (calibration_take(&calibration, row)) {
        case CALIBRATION_GOES_ON:
            break;
        case CALIBRATION_MOVED:
            Serial.print(F("# calibration: it moved, again\n"));
            calibration_begin(&calibration);
            break;
        case CALIBRATION_DONE:
            Serial.print(F("# offsets: "));
            for (uint8_t i = 0; i < CHANNELS; i++) {
                Serial.print(calibration_mean(&calibration, i));
                Serial.print(i + 1 < CHANNELS ? ',' : '\n');
            }
            return NO_PROBLEM;
        }
    }
}

static problem_t start() {
    problem_t problem = mpu6050_start();
    if (problem != NO_PROBLEM) {
        return problem;
    }
    Serial.print(F("# sensor: MPU6050\n# accelerometer_range_g: 4\n# gyroscope_range_dps: 2000\n# rate_hz: 50\n"));
    Serial.print(F("# rows: "));
    Serial.print(GESTURE_ROWS);
    Serial.print('\n');
    problem = calibrate();
    if (problem == NO_PROBLEM) {
        print_threshold();
        print_pretrigger();
        trigger_begin(&trigger);
        Serial.print(F("# ready\n"));
    }
    return problem;
}

/* Until the sensor is there, whatever was wrong with it. A gesture that was cut off ends with an empty line. */
static void start_again_after(problem_t problem) {
    while (problem != NO_PROBLEM) {
        print_problem(problem);
        if (rows_to_come > 0) {
            Serial.print('\n');
            rows_to_come = 0;
        }
        if (problem != ROWS_LOST) {
            delay(RETRY_MS);
        }
        problem = start();
    }
}

static void obey() {
    while (Serial.available() > 0) {
        uint16_t value;
        switch (command_take(&command, (char)Serial.read(), &value)) {
        case COMMAND_GOES_ON:
            break;
        case COMMAND_THRESHOLD:
            trigger.threshold = value;
            trigger_begin(&trigger);
            print_threshold();
            break;
        case COMMAND_PRETRIGGER:
            trigger.pretrigger = (uint8_t)value;
            trigger_begin(&trigger);
            print_pretrigger();
            break;
        case COMMAND_WRONG:
            Serial.print(F("# error: no such command; there are: threshold G, 0 to 12.00, where 0 records without a "
                           "motion; and pretrigger ROWS, 0 to 20\n"));
            break;
        }
    }
}

static void take(const int16_t row[CHANNELS]) {
    if (rows_to_come == 0) {
        if (!trigger_starts(&trigger, row)) {
            return;
        }
        for (uint8_t i = 0; i < trigger_kept(&trigger); i++) {
            print_row(trigger_row(&trigger, i));
        }
        rows_to_come = (uint8_t)(GESTURE_ROWS - trigger_kept(&trigger));
    }
    print_row(row);
    rows_to_come--;
    if (rows_to_come == 0) {
        Serial.print('\n');
        trigger_begin(&trigger);
    }
}

void setup() {
    Serial.begin(115200);
    trigger.threshold = THRESHOLD;
    trigger.pretrigger = PRETRIGGER_ROWS;
    start_again_after(start());
}

void loop() {
    int16_t row[CHANNELS];
    problem_t problem = mpu6050_next(row);
    if (problem != NO_PROBLEM) {
        start_again_after(problem);
        return;
    }
    if (rows_to_come == 0) {
        obey();
    }
    take(row);
}

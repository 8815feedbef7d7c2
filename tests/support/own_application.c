/*
 * An application that uses only the protocol library, on the host: no board, engine or windowing of ours. The answer
 * for a window is the sum of its samples. Macros select false claims at compile time.
 */
#include <string.h>

#include "tflm_hil.h"

#define WINDOW 4
#define CHANNELS 2

#ifndef COUNTER
#define COUNTER HIL_COUNTER_TIMER
#endif
#ifndef TICKS
#define TICKS 5
#endif
#ifndef ELEMENTS
#define ELEMENTS (WINDOW * CHANNELS)
#endif

static uint8_t *out;
static uint32_t out_length, out_capacity, worked;
static int16_t rows[WINDOW][CHANNELS], input[WINDOW * CHANNELS], sum[1];
static uint8_t oldest;

void hil_write(const uint8_t *data, uint16_t length) {
    if (length <= out_capacity - out_length) {
        memcpy(out + out_length, data, length);
        out_length += length;
    }
}

void hil_measure_begin(void) {
    worked = 0;
}

uint32_t hil_measure_end(void) {
    return worked ? TICKS : TICKS / 2;
}

void hil_reset(void) {}

static void forget_rows(void) {
    oldest = 0;
}

static void take_row(const uint8_t *row) {
    for (uint8_t i = 0; i < CHANNELS; i++) {
        rows[oldest][i] = hil_sample(row, i);
    }
    oldest = (oldest + 1) % WINDOW;
}

static void prepare(void) {
    worked = 1;
    memcpy(input, rows, sizeof input);
}

static bool invoke(void) {
    worked = 1;
    sum[0] = 0;
    for (uint8_t i = 0; i < WINDOW * CHANNELS; i++) {
        sum[0] = (int16_t)(sum[0] + input[i]);
    }
    return true;
}

static const hil_tensor_t inputs = {HIL_INT16, 2, {1, ELEMENTS}, 1.0f, 0, input, sizeof input};
static const hil_tensor_t outputs = {HIL_INT16, 2, {1, 1}, 1.0f, 0, sum, sizeof sum};

static void describe(hil_description_t *description) {
    description->engine = "sum";
    description->engine_version = "1";
    description->target = "host";
    memset(description->model_hash, 7, sizeof description->model_hash);
    description->inputs = &inputs;
    description->outputs = &outputs;
    description->input_count = 1;
    description->output_count = 1;
    description->counter = COUNTER;
    description->clock_hz = 1000000;
}

static uint8_t buffer[HIL_BUFFER_BYTES(80, 1)];

static const hil_application_t application = {
    .buffer = buffer,
    .max_body = 80,
    .credits = 1,
    .describe = describe,
    .invoke = invoke,
    .window = WINDOW,
    .stride = 3,
    .channels = CHANNELS,
    .forget_rows = forget_rows,
    .take_row = take_row,
    .prepare = prepare,
};

uint32_t host_start(uint8_t *sent, uint32_t capacity) {
    out = sent;
    out_length = 0;
    out_capacity = capacity;
    hil_start(&application, HIL_RESET_POWER);
    return out_length;
}

uint32_t host_feed(const uint8_t *data, uint32_t length, uint32_t burst, uint8_t *sent, uint32_t capacity) {
    (void)burst;
    out = sent;
    out_length = 0;
    out_capacity = capacity;
    for (uint32_t i = 0; i < length; i++) {
        hil_receive(data[i]);
    }
    return out_length;
}

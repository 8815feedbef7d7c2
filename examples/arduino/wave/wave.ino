/*
 * An Arduino sketch that the harness can test: Serial carries the protocol, and chip.h is what is not the same on every
 * board. It needs 205 bytes of RAM for messages.
 */
#include <string.h>
#include <tflm_hil.h>

#include "chip.h"
#include "wave.h"

/* ---- One of the things that every application implements; chip.h has the others --------------------------------- */

void hil_write(const uint8_t *data, uint16_t length) {
    Serial.write(data, length);
}

/* ---- Pre-processing --------------------------------------------------------------------------------------------- */

static int16_t window[WAVE_WINDOW][WAVE_CHANNELS];
static uint8_t oldest;

static void forget_rows() {
    oldest = 0;
}

static void take_row(const uint8_t *row) {
    for (uint8_t channel = 0; channel < WAVE_CHANNELS; channel++) {
        window[oldest][channel] = hil_sample(row, channel);
    }
    oldest = (oldest + 1) % WAVE_WINDOW;
}

/* One step of the network's input is 256 counts; halves are rounded to even. */
static int8_t normalize(int16_t count) {
    int32_t shifted = (int32_t)count + 128;
    int16_t steps = shifted >> 8;
    if ((shifted & 0xFF) == 0 && (steps & 1)) {
        steps--;
    }
    return steps > INT8_MAX ? INT8_MAX : steps;
}

static void prepare() {
    int8_t *to = network_input;
    for (uint8_t i = 0; i < WAVE_WINDOW; i++) {
        const int16_t *row = window[(oldest + i) % WAVE_WINDOW];
        for (uint8_t channel = 0; channel < WAVE_CHANNELS; channel++) {
            *to++ = normalize(row[channel]);
        }
    }
}

/* ---- The application for hil_start() ---------------------------------------------------------------------------- */

static const hil_tensor_t input = {HIL_INT8,        2,             {1, WAVE_INPUTS},    WAVE_INPUT_SCALE,
                                   WAVE_INPUT_ZERO, network_input, sizeof network_input};
static const hil_tensor_t output = {HIL_INT8,         2,              {1, WAVE_OUTPUTS},    WAVE_OUTPUT_SCALE,
                                    WAVE_OUTPUT_ZERO, network_output, sizeof network_output};

static void describe(hil_description_t *description) {
    description->engine = "by hand";
    description->engine_version = "1";
    description->target = chip_target();
    memcpy(description->model_hash, wave_hash, sizeof wave_hash);
    description->inputs = &input;
    description->outputs = &output;
    description->input_count = 1;
    description->output_count = 1;
    description->arena_bytes = sizeof network_input + sizeof network_output;
    description->counter = chip_counter();
    description->clock_hz = F_CPU;
}

static bool invoke() {
    network_run();
    return true;
}

#define MAX_BODY 96
#define CREDITS 1 /* the host sends no request while another is executed, so the 64 bytes of Serial are enough */

static uint8_t buffer[HIL_BUFFER_BYTES(MAX_BODY, CREDITS)];
static hil_application_t application;

void setup() {
    hil_reset_cause_t cause = chip_start();
    application.buffer = buffer;
    application.max_body = MAX_BODY;
    application.credits = CREDITS;
    application.describe = describe;
    application.invoke = invoke;
    application.window = WAVE_WINDOW;
    application.stride = WAVE_STRIDE;
    application.channels = WAVE_CHANNELS;
    application.forget_rows = forget_rows;
    application.take_row = take_row;
    application.prepare = prepare;
    hil_start(&application, cause);
}

void loop() {
    chip_poll();
    while (Serial.available()) {
        hil_receive(Serial.read());
    }
}

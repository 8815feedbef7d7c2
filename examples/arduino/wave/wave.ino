/*
 * An Arduino sketch that the harness can test: Serial carries the protocol, Timer1 counts, the watchdog resets. It needs
 * 205 bytes of RAM for messages, and runs on an ATmega328P (Uno) and an ATmega2560 (Mega).
 */
#include <avr/wdt.h>
#include <string.h>
#include <tflm_hil.h>

#include "wave.h"

/* The cause of the last reset. */
static uint8_t cause;

/* ---- Three things that every application implements ------------------------------------------------------------- */

void hil_write(const uint8_t *data, uint16_t length) {
    Serial.write(data, length);
}

/* Whether there is a counter. In an emulator without one, Timer0 stands still, although init() has started it. */
static bool counts;

static void find_counter() {
    uint8_t before = TCNT0;
    for (volatile uint16_t i = 0; i < 2000; i++) {
    }
    counts = TCNT0 != before;
}

/* Timer1 counts every eighth cycle in 16 bits, so up to 524,288 cycles. */
void hil_measure_begin(void) {
    noInterrupts();
    if (counts) {
        TCCR1A = 0;
        TCCR1B = _BV(CS11);
        TCNT1 = 0;
    }
}

uint32_t hil_measure_end(void) {
    uint32_t cycles = counts ? 8ul * TCNT1 : 0;
    interrupts();
    return cycles;
}

void hil_reset(void) {
    Serial.flush();
    cli();
    wdt_enable(WDTO_15MS);
    for (volatile uint32_t i = 0; i < 100000; i++) {
    }
    /* An emulator may have no watchdog. */
    ((void (*)(void))0)();
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
    description->target = BOARD;
    memcpy(description->model_hash, wave_hash, sizeof wave_hash);
    description->inputs = &input;
    description->outputs = &output;
    description->input_count = 1;
    description->output_count = 1;
    description->arena_bytes = sizeof network_input + sizeof network_output;
    description->counter = counts ? HIL_COUNTER_TIMER : HIL_COUNTER_NONE;
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
    cause = MCUSR;
    MCUSR = 0;
    wdt_disable();
    Serial.begin(115200);
    find_counter();
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
    hil_start(&application, cause & _BV(WDRF)    ? HIL_RESET_WATCHDOG
                            : cause & _BV(EXTRF) ? HIL_RESET_PIN
                            : cause & _BV(PORF)  ? HIL_RESET_POWER
                                                 : HIL_RESET_UNKNOWN);
}

/*
 * Work around QEMU: it delivers an interrupt that came while interrupts were off only at the end of another interrupt.
 * So end one here. A board does not need this; it costs some cycles.
 */
static void notice_interrupts() {
    __asm volatile("rcall 1f\n rjmp 2f\n 1: reti\n 2:" ::: "memory");
}

void loop() {
    notice_interrupts();
    while (Serial.available()) {
        hil_receive(Serial.read());
    }
}

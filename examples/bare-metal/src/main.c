/*
 * An application that the harness can test: it recognizes waving in rows of a sensor, which the harness sends through
 * the protocol library.
 */
#include "tflm_hil.h"
#include "uart.h"
#include "wave.h"

#include <string.h>

#define CREDITS 2
#define REGISTER(address) (*(volatile uint32_t *)(address))
#define SYST_CSR REGISTER(0xE000E010u)
#define SYST_RVR REGISTER(0xE000E014u)
#define SYST_CVR REGISTER(0xE000E018u)
#define SCB_AIRCR REGISTER(0xE000ED0Cu)

extern const uint8_t build_id_note[];

/* ---- Three things that every application implements ------------------------------------------------------------- */

void hil_write(const uint8_t *data, uint16_t length) {
    uart_write(data, length);
}

/* SysTick counts down with the core in 24 bits, which is enough for a network of this size. */
void hil_measure_begin(void) {
    __asm volatile("cpsid i" ::: "memory");
    SYST_RVR = 0xFFFFFFu;
    SYST_CVR = 0;
    SYST_CSR = 5;
}

uint32_t hil_measure_end(void) {
    uint32_t ticks = (0u - SYST_CVR) & 0xFFFFFFu;
    SYST_CSR = 0;
    __asm volatile("cpsie i" ::: "memory");
    return ticks;
}

void hil_reset(void) {
    uart_flush();
    SCB_AIRCR = 0x05FA0004u;
    for (;;) {
    }
}

/* ---- Pre-processing --------------------------------------------------------------------------------------------- */

static int16_t window[WAVE_WINDOW][WAVE_CHANNELS];
static uint8_t oldest;

static void forget_rows(void) {
    oldest = 0;
}

static void take_row(const uint8_t *row) {
    for (uint8_t channel = 0; channel < WAVE_CHANNELS; channel++) {
        window[oldest][channel] = hil_sample(row, channel);
    }
    oldest = (uint8_t)((oldest + 1u) % WAVE_WINDOW);
}

/*
 * The range -4 g to 4 g has 65,536 counts and becomes 0 to 1, which int8 represents in 256 steps. So 256 counts are one
 * step; halves are rounded to even. This is the preprocessing of the model's manifest, without floating point.
 */
static int8_t normalize(int16_t count) {
    int32_t shifted = (int32_t)count + 128;
    int32_t steps = shifted >> 8;
    if ((shifted & 0xFF) == 0 && (steps & 1)) {
        steps--;
    }
    return (int8_t)(steps > INT8_MAX ? INT8_MAX : steps);
}

static void prepare(void) {
    int8_t *to = network_input;
    for (uint8_t i = 0; i < WAVE_WINDOW; i++) {
        const int16_t *row = window[(oldest + i) % WAVE_WINDOW];
        for (uint8_t channel = 0; channel < WAVE_CHANNELS; channel++) {
            *to++ = normalize(row[channel]);
        }
    }
}

/* ---- The application for hil_start() ---------------------------------------------------------------------------- */

static const hil_tensor_t input = {
    .type = HIL_INT8,
    .rank = 2,
    .dims = {1, WAVE_INPUTS},
    .scale = WAVE_INPUT_SCALE,
    .zero_point = WAVE_INPUT_ZERO,
    .data = network_input,
    .bytes = sizeof network_input,
};

static const hil_tensor_t output = {
    .type = HIL_INT8,
    .rank = 2,
    .dims = {1, WAVE_OUTPUTS},
    .scale = WAVE_OUTPUT_SCALE,
    .zero_point = WAVE_OUTPUT_ZERO,
    .data = network_output,
    .bytes = sizeof network_output,
};

static void describe(hil_description_t *description) {
    description->engine = "by hand";
    description->engine_version = "1";
    description->target = "stm32f4";
    memcpy(description->model_hash, wave_hash, sizeof wave_hash);
    memcpy(description->build_id, build_id_note + 16, HIL_BUILD_ID_BYTES); /* skip the header of the note */
    description->inputs = &input;
    description->outputs = &output;
    description->input_count = 1;
    description->output_count = 1;
    description->arena_bytes = sizeof network_input + sizeof network_output;
    description->counter = HIL_COUNTER_SYSTICK;
    description->clock_hz = 16000000;
    description->overruns = uart_lost();
}

static bool invoke(void) {
    network_run();
    return true;
}

static uint8_t buffer[HIL_BUFFER_BYTES(HIL_MOST_BODY, CREDITS)];

static const hil_application_t application = {
    .buffer = buffer,
    .max_body = HIL_MOST_BODY,
    .credits = CREDITS,
    .describe = describe,
    .invoke = invoke,
    .window = WAVE_WINDOW,
    .stride = WAVE_STRIDE,
    .channels = WAVE_CHANNELS,
    .forget_rows = forget_rows,
    .take_row = take_row,
    .prepare = prepare,
};

int main(void) {
    uart_start();
    hil_start(&application, HIL_RESET_UNKNOWN);
    for (;;) {
        uint8_t byte;
        while (uart_read(&byte)) {
            hil_receive(byte);
        }
    }
}

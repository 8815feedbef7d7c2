/*
 * The firmware's application, protocol and windowing on the host. The board keeps what is sent. The output of the
 * engine tells which inputs it has seen and how often it has run. Without windowing, it has a second input, and a
 * second output that equals the first input; it clears its inputs, because engines may share their memory.
 */
#include <setjmp.h>
#include <string.h>

#include "application.h"
#include "board.h"
#include "engine.h"
#include "link.h"
#include "marks.h"
#include "model_config.h"
#include "server/crc16.h"

#if MODEL_WINDOW > 0
#define TENSORS 1
#define VALUES (MODEL_WINDOW * MODEL_CHANNELS)
#else
#define TENSORS 2
#define VALUES 600
#endif

static uint8_t *out;
static uint32_t out_length, out_capacity;
static jmp_buf left;
static uint32_t resets;
static int last_crash = -1;
static bool is_asleep;
static bool engine_works = true;
static bool has_worked; /* whether the engine was used since a measurement began; else the measurement is empty */

static uint32_t so_far; /* ticks that the steps of an inference take */

static int8_t input[VALUES];
static uint16_t output[2];
static uint16_t invocations;
static float second_input[2];
static int8_t second_output[VALUES];
static const hil_tensor_t inputs[] = {
    {HIL_INT8, 2, {1, VALUES}, 0x1p-8f, -128, input, sizeof input},
    {HIL_FLOAT32, 2, {1, 2}, 0.0f, 0, second_input, sizeof second_input},
};
static const hil_tensor_t outputs[] = {
    {HIL_INT16, 2, {1, 2}, 1.0f, 0, output, sizeof output},
    {HIL_INT8, 2, {1, VALUES}, 0x1p-8f, -128, second_output, sizeof second_output},
};

static void send_to(uint8_t *sent, uint32_t capacity) {
    out = sent;
    out_length = 0;
    out_capacity = capacity;
}

/* One iteration of the main loop; a reset leaves it in the middle. */
static void poll(void) {
    if (setjmp(left) == 0) {
        link_poll();
    }
}

/* Each of these returns the number of bytes that the firmware has sent, and puts them into `sent`. */
uint32_t host_start(uint8_t *sent, uint32_t capacity) {
    send_to(sent, capacity);
    link_open();
    application_start();
    return out_length;
}

/* Receives `length` bytes, `burst` at a time between two polls. */
uint32_t host_feed(const uint8_t *data, uint32_t length, uint32_t burst, uint8_t *sent, uint32_t capacity) {
    send_to(sent, capacity);
    for (uint32_t i = 0; i < length; i++) {
        board_on_receive(data[i]);
        if ((i + 1) % burst == 0 || i + 1 == length) {
            poll();
        }
    }
    return out_length;
}

/* What has come over the rings in RAM needs no more than a poll. */
uint32_t host_poll(uint8_t *sent, uint32_t capacity) {
    send_to(sent, capacity);
    poll();
    return out_length;
}

uint32_t host_crash(uint32_t words, uint8_t *sent, uint32_t capacity) {
    static uint32_t stack[2000];
    for (uint32_t i = 0; i < 2000; i++) {
        stack[i] = i;
    }
    const board_fault_t fault = {.kind = BOARD_FAULT_BUS,
                                 .pc = 1,
                                 .lr = 2,
                                 .psr = 3,
                                 .cfsr = 4,
                                 .hfsr = 5,
                                 .mmfar = 6,
                                 .bfar = 7,
                                 .sp = 8,
                                 .r4_to_r11 = {9, 10, 11, 12, 13, 14, 15, 16},
                                 .stack = stack,
                                 .stack_bytes = 4 * words};
    send_to(sent, capacity);
    board_on_fault(&fault);
    return out_length;
}

/* Whether the core would have slept after the last poll. */
bool host_is_asleep(void) {
    return is_asleep;
}

uint32_t host_invocations(void) {
    return invocations;
}

uint32_t host_resets(void) {
    return resets;
}

int host_last_crash(void) {
    return last_crash;
}

void host_break_engine(bool broken) {
    engine_works = !broken;
}

void board_uart_write(const uint8_t *data, uint32_t length) {
    if (length <= out_capacity - out_length) {
        memcpy(out + out_length, data, length);
        out_length += length;
    }
}

void board_uart_flush(void) {}

uint32_t board_uart_overruns(void) {
    return 0;
}

void board_sleep_while(bool (*idle)(void)) {
    is_asleep = idle();
}

uint32_t board_clock_hz(void) {
    return 168000000;
}

board_reset_cause_t board_reset_cause(void) {
    return BOARD_RESET_POWER;
}

const uint8_t *board_build_id(void) {
    return (const uint8_t *)"0123456789abcdefghij";
}

board_counter_t board_counter(void) {
    return BOARD_COUNTER_DWT;
}

void board_measure_begin(void) {
    has_worked = false;
}

uint32_t board_measure_end(void) {
    return has_worked ? 7 : 3;
}

/* Reading the counter takes two ticks. */
uint32_t board_measure_so_far(void) {
    so_far += 2;
    return so_far;
}

uint32_t board_measure_interrupts(void) {
    return 5;
}

uint32_t board_stack_size(void) {
    return 4096;
}

uint32_t board_stack_peak(void) {
    return 300;
}

void board_reset(void) {
    resets++;
    longjmp(left, 1);
}

void board_crash(board_crash_t kind) {
    last_crash = (int)kind;
}

const char *engine_name(void) {
    return "fake";
}

const char *engine_version(void) {
    return "0";
}

bool engine_init(void) {
    return engine_works;
}

uint8_t engine_input_count(void) {
    return TENSORS;
}

const hil_tensor_t *engine_inputs(void) {
    has_worked = true;
    return inputs;
}

uint8_t engine_output_count(void) {
    return TENSORS;
}

const hil_tensor_t *engine_outputs(void) {
    return outputs;
}

bool engine_invoke(void) {
    has_worked = true;
    invocations++;
    output[0] = hil_crc16(CRC16_INITIAL, (const uint8_t *)input, sizeof input);
    output[1] = invocations;
#if TENSORS > 1
    output[0] = hil_crc16(output[0], (const uint8_t *)second_input, sizeof second_input);
    memcpy(second_output, input, sizeof input);
    memset(input, 0, sizeof input);
    memset(second_input, 0, sizeof second_input);
#endif
    return engine_works;
}

/* Step number i takes i ticks. There is one step fewer than there may be. */
bool engine_invoke_in_steps(void) {
    for (uint32_t i = 0; i + 1 < MODEL_STEPS; i++) {
        step_begin();
        so_far += i;
        step_end();
    }
    return engine_invoke();
}

uint32_t engine_arena_bytes(void) {
    return 64;
}

bool engine_tensor(uint16_t index, const void **data, uint32_t *bytes) {
    *data = input;
    *bytes = sizeof input;
    return index == 0;
}

#ifdef HOST_MAIN
#include <stdio.h>

/* Feeds standard input to the firmware and writes what it sends to standard output. */
int main(void) {
    static uint8_t sent[1 << 16];
    uint8_t chunk[97];
    fwrite(sent, 1, host_start(sent, sizeof sent), stdout);
    for (size_t length; (length = fread(chunk, 1, sizeof chunk, stdin)) > 0;) {
        fwrite(sent, 1, host_feed(chunk, (uint32_t)length, 13, sent, sizeof sent), stdout);
    }
    return 0;
}
#endif

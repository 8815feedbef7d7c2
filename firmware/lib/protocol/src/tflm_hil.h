/*
 * tflm-hil: the device's end of the wire protocol, for a firmware of any make.
 *
 * Nothing but C99 is needed: no heap, no operating system, no other library. An application
 *   - implements the functions of "What the application implements": bytes out, a stopwatch, a reset;
 *   - describes itself and its network, and hands over how to run it: hil_application_t;
 *   - calls hil_start() once, then hil_receive() with every byte that arrives.
 *
 * All of it runs in one context, the main loop: call nothing here from an interrupt but hil_crash().
 */
#ifndef TFLM_HIL_H
#define TFLM_HIL_H

#include <stdbool.h>
#include <stdint.h>

#include "hil_tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

#define HIL_PROTOCOL_VERSION 1

#define HIL_MODEL_HASH_BYTES 8
#define HIL_BUILD_ID_BYTES 20

/* Longer text is cut off by hil_log(). */
#define HIL_LOG_BYTES 96

/* ---- What the application implements ---------------------------------------------------------------------------- */

/* Sends bytes. Returns when all of them have been handed over, or when the line takes none for good. */
void hil_write(const uint8_t *data, uint16_t length);

/*
 * A stopwatch: hil_measure_end() returns the ticks since hil_measure_begin(). Keep interrupts away in between, if they
 * would change the count. The library measures nothing at all once, and the host subtracts what that shows.
 */
void hil_measure_begin(void);
uint32_t hil_measure_end(void);

/* Waits until everything written has left, then resets the microcontroller; does not return. */
void hil_reset(void);

/* ---- What the application hands over ---------------------------------------------------------------------------- */

/* What counts the ticks. */
typedef enum {
    HIL_COUNTER_NONE = 0,    /* nothing does: every measurement is 0 */
    HIL_COUNTER_DWT = 1,     /* the cycle counter of a Cortex-M */
    HIL_COUNTER_SYSTICK = 2, /* SysTick of a Cortex-M */
    HIL_COUNTER_TIMER = 3,   /* any timer that runs with the core */
} hil_counter_t;

/* Why the program started. */
typedef enum {
    HIL_RESET_UNKNOWN = 0,
    HIL_RESET_POWER = 1,
    HIL_RESET_PIN = 2,
    HIL_RESET_SOFTWARE = 3,
    HIL_RESET_WATCHDOG = 4,
} hil_reset_cause_t;

/* Faults that a host may ask for. */
typedef enum {
    HIL_FAULT_UNDEFINED_INSTRUCTION = 0,
    HIL_FAULT_BUS_ERROR = 1,
    HIL_FAULT_HANG = 2,
    HIL_FAULT_KINDS,
} hil_fault_t;

/* What a device says of itself. Everything is 0 to begin with, and what it does not know may stay so. */
typedef struct {
    const char *engine;         /* what executes the network: "aot", "tflm" or a name of your own; never null */
    const char *engine_version; /* never null */
    const char *target;         /* the chip or board, as the host calls it; never null */

    uint8_t model_hash[HIL_MODEL_HASH_BYTES]; /* the beginning of the SHA-256 of the .tflite */
    uint8_t build_id[HIL_BUILD_ID_BYTES];     /* the GNU build id; stays 0 if the image has none */

    const hil_tensor_t *inputs, *outputs; /* in the order of the .tflite */
    uint8_t input_count, output_count;
    uint32_t arena_bytes; /* RAM for activations and scratch memory */

    uint8_t counter;   /* hil_counter_t */
    uint32_t clock_hz; /* of the core */

    uint32_t stack_size, stack_peak; /* bytes reserved, and the most in use since the start */
    uint32_t overruns;               /* received bytes that were lost */
} hil_description_t;

/*
 * One that takes windows of a sensor's rows has all of `window`, `stride`, `channels`, `forget_rows`, `take_row` and
 * `prepare`; one whose inputs are written as tensors has none of them. What is marked optional may be null.
 */
typedef struct {
    /* Memory for requests and responses: HIL_BUFFER_BYTES(max_body, credits), not necessarily cleared. */
    uint8_t *buffer;
    uint16_t max_body; /* the longest message: HIL_LEAST_BODY to HIL_MOST_BODY, and room for what HELLO says */
    uint8_t credits;   /* requests that may be under way: a power of two. 1 needs the least memory, more are faster */

    /* Fills in the description. Called whenever the host asks for it. */
    void (*describe)(hil_description_t *description);

    /* Optional. Prepares the network, after BOOT has been sent. Null, or a line that says why it will not run. */
    const char *(*start)(void);

    /* Runs the network once, from its inputs to its outputs. False: it failed. May overwrite the inputs. */
    bool (*invoke)(void);

    uint16_t window;                      /* rows that one inference sees */
    uint16_t stride;                      /* rows from the start of a window to that of the next */
    uint8_t channels;                     /* values in a row */
    void (*forget_rows)(void);            /* the next row is row 0 of a new recording */
    void (*take_row)(const uint8_t *row); /* raw counts of all channels, see hil_sample() */
    void (*prepare)(void); /* makes the network's input of the last `window` rows, when they are complete */

    /* Optional. Where tensor `index` of the .tflite lies after an inference, for debug builds; false if not kept. */
    bool (*tensor)(uint16_t index, const void **data, uint32_t *bytes);

    /* Optional. Faults or hangs on purpose, so that the host can test what it says of that. */
    void (*fault)(hil_fault_t kind);
} hil_application_t;

#define HIL_LEAST_BODY 60
#define HIL_MOST_BODY 249

/* A message on the wire. */
#define HIL_FRAME_BYTES(max_body) ((max_body) + 7)

/* One request, and the last responses. Does not compile with numbers that cannot be. */
#define HIL_BUFFER_BYTES(max_body, credits)                                                                            \
    ((max_body) + 5 + (credits) * HIL_FRAME_BYTES(max_body) +                                                          \
     0 * sizeof(char[HIL_LINK_IS_POSSIBLE(max_body, credits) ? 1 : -1]))
#define HIL_LINK_IS_POSSIBLE(max_body, credits)                                                                        \
    ((max_body) >= HIL_LEAST_BODY && (max_body) <= HIL_MOST_BODY && (credits) > 0 && (credits) <= 128 &&               \
     ((credits) & ((credits) - 1)) == 0)

/* Channel `i` of a row. */
static inline int16_t hil_sample(const uint8_t *row, uint8_t i) {
    return (int16_t)(uint16_t)(row[2 * i] | (uint16_t)row[2 * i + 1] << 8);
}

/* ---- What the library does -------------------------------------------------------------------------------------- */

/* Says that the program has started (BOOT) and starts the network. `application` stays in use. */
void hil_start(const hil_application_t *application, hil_reset_cause_t cause);

/* Takes a received byte. Answers, and runs the network, where it completes a request. */
void hil_receive(uint8_t byte);

/* Says one line of UTF-8 text (LOG). */
void hil_log(const char *text);

/* What hil_crash() takes, in this order; a register that the core does not have reads 0. */
enum { HIL_PC, HIL_LR, HIL_PSR, HIL_CFSR, HIL_HFSR, HIL_MMFAR, HIL_BFAR, HIL_SP, HIL_REGISTERS };

/*
 * Reports a fault (CRASH), from its handler. `kind`: 0 hard fault, 1 memory management, 2 bus fault, 3 usage fault,
 * 4 other.
 */
void hil_crash(uint8_t kind, const uint32_t registers[HIL_REGISTERS]);

#ifdef __cplusplus
}
#endif

#endif

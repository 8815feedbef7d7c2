/*
 * tflm-hil: the device side of the wire protocol, for any firmware.
 *
 * It needs only C99: no heap, no operating system, no other library. An application
 *   - implements the functions of "What the application implements": send bytes, measure time, reset;
 *   - describes itself and its network, and how to run it, in a hil_application_t;
 *   - calls hil_start() once, then hil_receive() for every byte that arrives.
 *
 * Call everything from one context, the main loop; only hil_crash() may be called from an interrupt.
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

/* hil_log() cuts off longer texts. */
#define HIL_LOG_BYTES 96

/* ---- What the application implements ---------------------------------------------------------------------------- */

/* Sends bytes. Returns when all of them have been handed over, or when the line has stopped taking any. */
void hil_write(const uint8_t *data, uint16_t length);

/*
 * A stopwatch: hil_measure_end() returns the ticks since hil_measure_begin(). Mask interrupts in between if they would
 * change the count. The library makes one empty measurement, and the host subtracts its ticks. On an Arm core the
 * library also measures a loop of known length, so that the host can refuse a stopwatch that runs at another rate than
 * the core.
 */
void hil_measure_begin(void);
uint32_t hil_measure_end(void);

/* Waits until all bytes have been sent, then resets the microcontroller. Does not return. */
void hil_reset(void);

/* ---- What the application provides ------------------------------------------------------------------------------ */

/* What counts the ticks. */
typedef enum {
    HIL_COUNTER_NONE = 0,    /* there is no counter, and every measurement is 0 */
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

/* Faults that a host may request. */
typedef enum {
    HIL_FAULT_UNDEFINED_INSTRUCTION = 0,
    HIL_FAULT_BUS_ERROR = 1,
    HIL_FAULT_HANG = 2,
    HIL_FAULT_KINDS,
} hil_fault_t;

/* The description of a device. All members are 0 at first; members that the device does not know may stay 0. */
typedef struct {
    const char *engine;         /* what executes the network: "aot", "tflm" or your own name; never null */
    const char *engine_version; /* never null */
    const char *target;         /* the chip or board, by its name on the host; never null */

    uint8_t model_hash[HIL_MODEL_HASH_BYTES]; /* the first bytes of the SHA-256 of the .tflite */
    uint8_t build_id[HIL_BUILD_ID_BYTES];     /* the GNU build id; 0 if the image has none */

    const hil_tensor_t *inputs, *outputs; /* in the order of the .tflite */
    uint8_t input_count, output_count;
    uint32_t arena_bytes; /* RAM for activations and scratch memory */

    uint8_t counter;   /* hil_counter_t */
    uint32_t clock_hz; /* of the core */

    uint32_t stack_size, stack_peak; /* bytes reserved, and the most bytes used since the start */
    uint32_t overruns;               /* received bytes that were lost */
    uint32_t interrupts;             /* those during measurements, whose ticks hil_measure_end() has taken out */
} hil_description_t;

/* What the steps of an inference took. */
typedef struct {
    const uint32_t *ticks; /* of each step, in order; those of a mark are among them */
    uint16_t count;        /* 0 before the first inference whose steps were measured */
    uint32_t mark_ticks;   /* of a step that does nothing */
} hil_steps_t;

struct hil_response;

/* For images that can measure each step of the network. */
typedef struct {
    /* hil_profile(). It is named here, so that images that measure no steps do not contain it. */
    uint8_t (*execute)(uint8_t type, const uint8_t *body, struct hil_response *response);

    /* Lets the next invoke() measure its steps. Every other one must run as in an image that cannot measure them. */
    void (*start)(void);

    /* Tells what they took. */
    const hil_steps_t *(*steps)(void);
} hil_profiler_t;

/*
 * An application that takes windows of sensor rows sets all of `window`, `stride`, `channels`, `forget_rows`,
 * `take_row` and `prepare`; an application whose inputs are written as tensors sets none of them. Optional members may
 * be null.
 */
typedef struct {
    /* Memory for requests and responses: HIL_BUFFER_BYTES(max_body, credits); need not be cleared. */
    uint8_t *buffer;
    uint16_t max_body; /* the longest body: HIL_LEAST_BODY to HIL_MOST_BODY, with room for the HELLO response */
    uint8_t credits;   /* the most requests in flight: a power of two. 1 needs the least memory, more are faster */

    /* Fills in the description. Called whenever the host asks for it. */
    void (*describe)(hil_description_t *description);

    /* Optional. Initializes the network after BOOT has been sent. Returns null, or a line that says why it failed. */
    const char *(*start)(void);

    /* Runs the network once, from its inputs to its outputs. Returns false if it failed. May overwrite the inputs. */
    bool (*invoke)(void);

    uint16_t window;                      /* rows that one inference sees */
    uint16_t stride;                      /* rows from the start of one window to the start of the next */
    uint8_t channels;                     /* values in a row */
    void (*forget_rows)(void);            /* the next row is row 0 of a new recording */
    void (*take_row)(const uint8_t *row); /* raw counts of all channels, see hil_sample() */
    void (*prepare)(void);                /* computes the network's input from the last `window` rows */

    /*
     * Optional. Waits for the next row of the device's own sensor, in the same form as take_row() gets rows, and stores
     * it; but it waits for a second at most. The first row after forget_rows() is one that has been sensed since
     * then, and rows follow each other without a gap. Returns null, or a line that says why there is none; then it
     * fails until the next forget_rows().
     */
    const char *(*sense)(uint8_t *row);

    /* Optional, for debug builds. Finds tensor `index` of the .tflite after an inference; false if it is not kept. */
    bool (*tensor)(uint16_t index, const void **data, uint32_t *bytes);

    /* Optional. Measures each step of the network. */
    const hil_profiler_t *profiler;

    /* Optional. Causes a fault or hangs, so that the host can test how it reports that. */
    void (*fault)(hil_fault_t kind);
} hil_application_t;

#define HIL_LEAST_BODY 68
#define HIL_MOST_BODY 249

/* The size of a frame on the wire. */
#define HIL_FRAME_BYTES(max_body) ((max_body) + 7)

/* The size of the buffer: one request, and the last responses. Does not compile with invalid numbers. */
#define HIL_BUFFER_BYTES(max_body, credits)                                                                            \
    ((max_body) + 5 + (credits) * HIL_FRAME_BYTES(max_body) +                                                          \
     0 * sizeof(char[HIL_LINK_IS_POSSIBLE(max_body, credits) ? 1 : -1]))
#define HIL_LINK_IS_POSSIBLE(max_body, credits)                                                                        \
    ((max_body) >= HIL_LEAST_BODY && (max_body) <= HIL_MOST_BODY && (credits) > 0 && (credits) <= 128 &&               \
     ((credits) & ((credits) - 1)) == 0)

/* Returns the count of channel `i` of a row. */
static inline int16_t hil_sample(const uint8_t *row, uint8_t i) {
    return (int16_t)(uint16_t)(row[2 * i] | (uint16_t)row[2 * i + 1] << 8);
}

/* ---- What the library does -------------------------------------------------------------------------------------- */

/* Sends BOOT and starts the network. `application` must stay valid. */
void hil_start(const hil_application_t *application, hil_reset_cause_t cause);

/* Takes a received byte. If it completes a request, executes the request and answers. */
void hil_receive(uint8_t byte);

/* Executes the requests of a hil_profiler_t. */
uint8_t hil_profile(uint8_t type, const uint8_t *body, struct hil_response *response);

/* Sends one line of UTF-8 text (LOG). */
void hil_log(const char *text);

/* The registers for hil_crash(), in this order; 0 for registers that the core does not have, or that are not known. */
enum {
    HIL_PC,
    HIL_LR,
    HIL_PSR,
    HIL_CFSR,
    HIL_HFSR,
    HIL_MMFAR,
    HIL_BFAR,
    HIL_SP,
    HIL_R4, /* and so on to r11 */
    HIL_REGISTERS = HIL_R4 + 8,
};

/* hil_crash() sends no more of the stack than this. */
#define HIL_STACK_BYTES 4096

/*
 * Reports a fault (CRASH) and what the stack holds (STACK), from which the host finds who called whom; call it from the
 * fault handler. It needs 300 bytes of stack.
 *
 * `kind`: 0 hard fault, 1 memory management, 2 bus fault, 3 usage fault, 4 other. HIL_SP is the stack pointer before
 * the core pushed the frame of the exception, and `stack` are the `bytes` from there to the top of the stack: a
 * multiple of 4; 0 if it cannot be read.
 */
void hil_crash(uint8_t kind, const uint32_t registers[HIL_REGISTERS], const uint32_t *stack, uint32_t bytes);

#ifdef __cplusplus
}
#endif

#endif

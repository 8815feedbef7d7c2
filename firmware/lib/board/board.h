/*
 * The board: everything that the firmware needs from the microcontroller. Code outside lib/board does not access
 * hardware.
 *
 * The application must provide two functions that a board calls: board_on_receive() and board_on_fault().
 */
#ifndef BOARD_H
#define BOARD_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BOARD_BUILD_ID_BYTES 20

/* The numbers of the BOOT message. */
typedef enum {
    BOARD_RESET_UNKNOWN = 0,
    BOARD_RESET_POWER = 1,
    BOARD_RESET_PIN = 2,
    BOARD_RESET_SOFTWARE = 3,
    BOARD_RESET_WATCHDOG = 4,
} board_reset_cause_t;

/* The numbers of the HELLO response. */
typedef enum {
    BOARD_COUNTER_DWT = 1,
    BOARD_COUNTER_SYSTICK = 2,
    BOARD_COUNTER_TIMER = 3, /* a timer of the microcontroller that runs with the core */
} board_counter_t;

/* The numbers of the CRASH message. */
typedef enum {
    BOARD_FAULT_HARD = 0,
    BOARD_FAULT_MEMORY = 1,
    BOARD_FAULT_BUS = 2,
    BOARD_FAULT_USAGE = 3,
    BOARD_FAULT_OTHER = 4, /* an exception or interrupt without a handler */
} board_fault_kind_t;

/* The state of the core at a fault; 0 for registers that the core does not have. */
typedef struct {
    uint8_t kind; /* board_fault_kind_t */
    uint32_t pc, lr, psr, cfsr, hfsr, mmfar, bfar, sp;
    uint32_t r4_to_r11[8];
    const uint32_t *stack; /* from `sp` on; from the lowest address of the stack if `sp` is beyond it */
    uint32_t stack_bytes;
} board_fault_t;

/* Faults that board_crash() can cause, with the numbers of the FAULT request. */
typedef enum {
    BOARD_CRASH_UNDEFINED_INSTRUCTION = 0,
    BOARD_CRASH_BUS_ERROR = 1,
    BOARD_CRASH_HANG = 2,
    BOARD_CRASH_KINDS,
} board_crash_t;

/* Sets up the clocks, the UART and the counter, and calibrates the counter. Interrupts are on when it returns. */
void board_init(void);

/* The core clock after the set-up, in Hz. */
uint32_t board_clock_hz(void);

/* Why the program started. board_init() clears the record of the hardware. */
board_reset_cause_t board_reset_cause(void);

/* The GNU build id of this image, BOARD_BUILD_ID_BYTES bytes. */
const uint8_t *board_build_id(void);

/* Sends bytes; returns when the last one has been handed to the transmitter. Gives up after a bounded time if the
 * transmitter does not accept them. */
void board_uart_write(const uint8_t *data, uint32_t length);

/* Waits until everything written has been sent, but only for a bounded time. */
void board_uart_flush(void);

/* The number of received bytes that the hardware lost because the previous byte had not been read yet. */
uint32_t board_uart_overruns(void);

/* Sleeps until the next interrupt if idle() returns true. It is called with interrupts off, so none can come between.
 */
void board_sleep_while(bool (*idle)(void));

/*
 * Measure code with board_measure_begin(), the code, and board_measure_end(), which returns the ticks in between;
 * board_measure_so_far() returns the ticks up to now, and the measurement goes on.
 * board_counter() returns what counts them. The ticks of receive interrupts are not among them; if interrupts happened,
 * board_measure_interrupts() has counted them, in all measurements together.
 */
board_counter_t board_counter(void);
void board_measure_begin(void);
uint32_t board_measure_so_far(void);
uint32_t board_measure_end(void);
uint32_t board_measure_interrupts(void);

/* The bytes reserved for the stack, and the most bytes used since the start. */
uint32_t board_stack_size(void);
uint32_t board_stack_peak(void);

/* Resets the microcontroller. Does not return. */
__attribute__((noreturn)) void board_reset(void);

/* Causes a fault, or hangs. */
void board_crash(board_crash_t kind);

/* Provided by the application. Called in interrupt context with each received byte. */
void board_on_receive(uint8_t byte);

/* Provided by the application. Called by the fault handler with enough stack and with interrupts off. The board resets
 * itself when it returns. */
void board_on_fault(const board_fault_t *fault);

#ifdef __cplusplus
}
#endif

#endif

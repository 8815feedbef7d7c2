/*
 * The board: everything that the firmware asks of the microcontroller. No other header outside lib/board names
 * hardware.
 *
 * A board calls two functions that the application provides, board_on_receive() and board_on_fault().
 */
#ifndef BOARD_H
#define BOARD_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BOARD_BUILD_ID_BYTES 20

/* Numbers as the BOOT message carries them. */
typedef enum {
    BOARD_RESET_UNKNOWN = 0,
    BOARD_RESET_POWER = 1,
    BOARD_RESET_PIN = 2,
    BOARD_RESET_SOFTWARE = 3,
    BOARD_RESET_WATCHDOG = 4,
} board_reset_cause_t;

/* Numbers as the HELLO response carries them. */
typedef enum {
    BOARD_COUNTER_DWT = 1,
    BOARD_COUNTER_SYSTICK = 2,
    BOARD_COUNTER_TIMER = 3, /* a timer of the microcontroller that runs with the core */
} board_counter_t;

/* Numbers as the CRASH message carries them. */
typedef enum {
    BOARD_FAULT_HARD = 0,
    BOARD_FAULT_MEMORY = 1,
    BOARD_FAULT_BUS = 2,
    BOARD_FAULT_USAGE = 3,
    BOARD_FAULT_OTHER = 4, /* an exception or interrupt that nothing handles */
} board_fault_kind_t;

/* The state of the core when it faulted. A register that the core does not have reads 0. */
typedef struct {
    uint8_t kind; /* board_fault_kind_t */
    uint32_t pc, lr, psr, cfsr, hfsr, mmfar, bfar, sp;
} board_fault_t;

/* Faults that board_crash() can bring about; numbers as the FAULT request carries them. */
typedef enum {
    BOARD_CRASH_UNDEFINED_INSTRUCTION = 0,
    BOARD_CRASH_BUS_ERROR = 1,
    BOARD_CRASH_HANG = 2,
    BOARD_CRASH_KINDS,
} board_crash_t;

/* Sets up clocks, the UART and the counter, and calibrates the latter. Interrupts are on when it returns. */
void board_init(void);

/* Core clock in Hz that the set-up arrived at. */
uint32_t board_clock_hz(void);

/* Why the program started; the hardware's record is cleared by board_init(). */
board_reset_cause_t board_reset_cause(void);

/* The GNU build id of this image, BOARD_BUILD_ID_BYTES long. */
const uint8_t *board_build_id(void);

/* Sends bytes; returns when the last one has been handed to the transmitter. Gives up, after a bounded time, on one
 * that does not take them. */
void board_uart_write(const uint8_t *data, uint32_t length);

/* Waits, a bounded time, until the line is quiet: everything written has been sent. */
void board_uart_flush(void);

/* Received bytes that the hardware lost because the previous one had not been fetched yet. */
uint32_t board_uart_overruns(void);

/* Sleeps until the next interrupt if `idle` says so; it is asked with interrupts off, so none slips in between. */
void board_sleep_while(bool (*idle)(void));

/*
 * A measurement: board_measure_begin(), the code, board_measure_end(), which returns the ticks in between.
 */
board_counter_t board_counter(void);
void board_measure_begin(void);
uint32_t board_measure_end(void);

/* Bytes reserved for the stack, and the most that has been in use since the start. */
uint32_t board_stack_size(void);
uint32_t board_stack_peak(void);

/* Resets the microcontroller; does not return. */
__attribute__((noreturn)) void board_reset(void);

/* Faults, or hangs, on purpose. */
void board_crash(board_crash_t kind);

/* Provided by the application. Called in interrupt context with each received byte. */
void board_on_receive(uint8_t byte);

/* Provided by the application. Called by the fault handler, on a fresh stack with interrupts off; the board halts when
 * it returns. */
void board_on_fault(const board_fault_t *fault);

#ifdef __cplusplus
}
#endif

#endif

/* Clock and reset causes of the nRF51 and nRF52, which run at one frequency. */
#include "board.h"
#include "nrf.h"

/* Iterations to wait, far longer than the 0.8 ms that the crystal may take to start. */
#define PATIENCE 100000u

static board_reset_cause_t cause;

static board_reset_cause_t read_reset_cause(void) {
    uint32_t flags = POWER_RESETREAS;
    POWER_RESETREAS = flags; /* writing ones clears them */
    if (flags & POWER_RESETREAS_WATCHDOG) {
        return BOARD_RESET_WATCHDOG;
    }
    if (flags & POWER_RESETREAS_SOFTWARE) {
        return BOARD_RESET_SOFTWARE;
    }
    if (flags & POWER_RESETREAS_PIN) {
        return BOARD_RESET_PIN;
    }
    return flags ? BOARD_RESET_UNKNOWN : BOARD_RESET_POWER;
}

void chip_init(void) {
    cause = read_reset_cause();
#if CORTEXM_MAINLINE
    NVMC_ICACHECNF = NVMC_ICACHECNF_CACHEEN;
#endif
    /* Start the crystal. The internal oscillator, which runs until then, is too inaccurate for a UART. */
    CLOCK_TASKS_HFCLKSTART = 1;
    for (uint32_t i = 0; i < PATIENCE && !CLOCK_EVENTS_HFCLKSTARTED; i++) {
    }
    uart_init();
}

uint32_t board_clock_hz(void) {
    return F_CPU;
}

board_reset_cause_t board_reset_cause(void) {
    return cause;
}

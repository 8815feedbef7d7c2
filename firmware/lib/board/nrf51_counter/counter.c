/*
 * Measures with TIMER0, which runs at the 16 MHz of the core, because the nRF51 has neither a cycle counter nor
 * SysTick. It restarts for each measurement, so that the same code always gives the same count.
 */
#include "board.h"
#include "cortexm/cortexm.h"

#define TIMER0_TASKS_START REGISTER(0x40008000u)
#define TIMER0_TASKS_STOP REGISTER(0x40008004u)
#define TIMER0_TASKS_CLEAR REGISTER(0x4000800Cu)
#define TIMER0_TASKS_CAPTURE0 REGISTER(0x40008040u)
#define TIMER0_BITMODE REGISTER(0x40008508u)
#define TIMER0_BITMODE_32 3u
#define TIMER0_PRESCALER REGISTER(0x40008510u)
#define TIMER0_CC0 REGISTER(0x40008540u)

void counter_init(void) {
    TIMER0_BITMODE = TIMER0_BITMODE_32;
    TIMER0_PRESCALER = 0;
}

void counter_on_systick(void) {
    /* There is no SysTick. */
}

board_counter_t board_counter(void) {
    return BOARD_COUNTER_TIMER;
}

void counter_start(void) {
    TIMER0_TASKS_CLEAR = 1;
    TIMER0_TASKS_START = 1;
}

uint32_t counter_ticks(void) {
    TIMER0_TASKS_CAPTURE0 = 1;
    return TIMER0_CC0;
}

void counter_stop(void) {
    TIMER0_TASKS_STOP = 1;
}

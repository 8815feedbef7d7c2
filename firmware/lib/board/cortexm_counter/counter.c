/*
 * The cycle counter of the debug unit or, if that is missing or stands still as in QEMU, SysTick. SysTick counts down
 * in 24 bits, so wraps are counted; it restarts for each measurement, so that the same code always gives the same
 * count.
 */
#include "board.h"
#include "cortexm/cortexm.h"

#define SYSTICK_BITS 24
#define SYSTICK_MASK ((1u << SYSTICK_BITS) - 1u)

static board_counter_t counter;
static volatile uint32_t wraps;

void counter_on_systick(void) {
    wraps++;
}

void counter_init(void) {
    counter = BOARD_COUNTER_SYSTICK;
#if CORTEXM_MAINLINE
    DCB_DEMCR |= DCB_DEMCR_TRCENA;
    DWT_LAR = DWT_LAR_UNLOCK;
    DWT_CYCCNT = 0;
    DWT_CTRL |= DWT_CTRL_CYCCNTENA;
    __asm volatile("nop\n nop\n nop\n nop\n isb" ::: "memory");
    if (DWT_CYCCNT != 0) {
        counter = BOARD_COUNTER_DWT;
    }
#endif
    SYST_RVR = SYSTICK_MASK;
    SCB_SHPR3 &= 0x00FFFFFFu; /* SysTick gets the highest priority, so that a wrap never waits */
    NVIC_IPR(chip_uart_irq) |= 0x80u << NVIC_IPR_SHIFT(chip_uart_irq);
}

board_counter_t board_counter(void) {
    return counter;
}

void counter_start(void) {
    if (counter == BOARD_COUNTER_SYSTICK) {
        wraps = 0;
        SYST_CVR = 0;
        SYST_CSR = SYST_CSR_ENABLE | SYST_CSR_TICKINT | SYST_CSR_CORE_CLOCK;
    }
}

uint32_t counter_ticks(void) {
    uint32_t wrapped, value;
    if (counter == BOARD_COUNTER_DWT) {
        return DWT_CYCCNT;
    }
    do {
        wrapped = wraps;
        value = SYST_CVR;
        __asm volatile("isb" ::: "memory");
    } while (wrapped != wraps);
    return (wrapped << SYSTICK_BITS) + ((0u - value) & SYSTICK_MASK);
}

void counter_stop(void) {
    if (counter == BOARD_COUNTER_SYSTICK) {
        SYST_CSR = 0;
    }
}

/*
 * Measures code in ticks: with the cycle counter of the debug unit or, if that stands still as in emulators, with
 * SysTick. SysTick counts down in 24 bits, so wraps are counted; it restarts for each measurement, so that the same
 * code always gives the same count.
 */
#include "board.h"
#include "cortexm/cortexm.h"

#define SYSTICK_BITS 24
#define SYSTICK_MASK ((1u << SYSTICK_BITS) - 1u)

static board_counter_t counter;
static uint32_t started;
static volatile uint32_t wraps;

void counter_on_systick(void) {
    wraps++;
}

void counter_init(void) {
    DCB_DEMCR |= DCB_DEMCR_TRCENA;
    DWT_CYCCNT = 0;
    DWT_CTRL |= DWT_CTRL_CYCCNTENA;
    __asm volatile("nop\n nop\n nop\n nop\n isb" ::: "memory");
    counter = DWT_CYCCNT != 0 ? BOARD_COUNTER_DWT : BOARD_COUNTER_SYSTICK;
    SYST_RVR = SYSTICK_MASK;
    SCB_SHPR3 &= 0x00FFFFFFu; /* SysTick gets the highest priority, so that a wrap never waits */
    NVIC_IPR(chip_uart_irq) = 0x80;
}

board_counter_t board_counter(void) {
    return counter;
}

void board_measure_begin(void) {
    if (counter == BOARD_COUNTER_DWT) {
        started = DWT_CYCCNT;
        return;
    }
    NVIC_ICER(chip_uart_irq) = NVIC_BIT(chip_uart_irq);
    __asm volatile("dsb\n isb" ::: "memory");
    wraps = 0;
    SYST_CVR = 0;
    SYST_CSR = SYST_CSR_ENABLE | SYST_CSR_TICKINT | SYST_CSR_CORE_CLOCK;
}

uint32_t board_measure_end(void) {
    if (counter == BOARD_COUNTER_DWT) {
        return DWT_CYCCNT - started;
    }
    uint32_t wrapped, value;
    do {
        wrapped = wraps;
        value = SYST_CVR;
        __asm volatile("isb" ::: "memory");
    } while (wrapped != wraps);
    SYST_CSR = 0;
    NVIC_ISER(chip_uart_irq) = NVIC_BIT(chip_uart_irq);
    return (wrapped << SYSTICK_BITS) + ((0u - value) & SYSTICK_MASK);
}

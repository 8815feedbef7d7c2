/*
 * Runs the core at F_CPU, more than 80 MHz and at most 120 MHz in steps of 4 MHz, from the internal 16 MHz oscillator.
 * The buses run as fast. Each wait is bounded; if the hardware does not respond, the core stays at the 4 MHz at which
 * it starts.
 */
#include "board.h"
#include "stm32l4.h"

#define MSI_HZ 4000000u

/* 16 MHz / 2 = 8 MHz; times PLL_N is 64 to 344 MHz; divided by 2 it is F_CPU. */
#define PLL_N (2u * (F_CPU / 1000000u) / 8u)
#define PLL_FROM_HSI                                                                                                   \
    (RCC_PLLCFGR_SRC_HSI | RCC_PLLCFGR_M(2u) | RCC_PLLCFGR_N(PLL_N) | RCC_PLLCFGR_R_ENABLE | RCC_PLLCFGR_R_DIV2)
_Static_assert(F_CPU > 80000000 && F_CPU <= 120000000 && F_CPU % 4000000 == 0, "there is no such clock");

/* One for each 20 MHz beyond the first 20 MHz. */
#define WAIT_STATES ((F_CPU - 1u) / 20000000u)

/* Iterations to wait, far longer than the PLL may take to lock. */
#define PATIENCE 100000u

/* Iterations that take more than 1 us. */
#define A_MICROSECOND 100u

static uint32_t clock_hz = MSI_HZ;
static board_reset_cause_t cause;

static bool reached(volatile const uint32_t *reg, uint32_t mask, uint32_t value) {
    for (uint32_t i = 0; i < PATIENCE; i++) {
        if ((*reg & mask) == value) {
            return true;
        }
    }
    return false;
}

/* The step from low to high frequency goes over half of it, for a microsecond. */
static bool run_from_pll(void) {
    RCC_CR |= RCC_CR_HSION;
    if (!reached(&RCC_CR, RCC_CR_HSIRDY, RCC_CR_HSIRDY)) {
        return false;
    }
    RCC_PLLCFGR = PLL_FROM_HSI;
    RCC_CR |= RCC_CR_PLLON;
    if (!reached(&RCC_CR, RCC_CR_PLLRDY, RCC_CR_PLLRDY)) {
        return false;
    }
    RCC_CFGR = RCC_CFGR_AHB_DIV2 | RCC_CFGR_SW_MSI;
    PWR_CR5 &= ~PWR_CR5_R1MODE;
    FLASH_ACR = FLASH_ACR_LATENCY(WAIT_STATES) | FLASH_ACR_CACHES;
    if (!reached(&FLASH_ACR, FLASH_ACR_LATENCY_MASK, FLASH_ACR_LATENCY(WAIT_STATES))) {
        return false;
    }
    RCC_CFGR = RCC_CFGR_AHB_DIV2 | RCC_CFGR_SW_PLL;
    if (!reached(&RCC_CFGR, RCC_CFGR_SWS_MASK, RCC_CFGR_SWS_PLL)) {
        return false;
    }
    for (volatile uint32_t i = 0; i < A_MICROSECOND; i++) {
    }
    RCC_CFGR = RCC_CFGR_SW_PLL;
    return true;
}

static board_reset_cause_t read_reset_cause(void) {
    uint32_t flags = RCC_CSR;
    RCC_CSR |= RCC_CSR_RMVF;
    /* Every reset also pulls the pin: check the most specific cause first. */
    if (flags & RCC_CSR_WATCHDOG) {
        return BOARD_RESET_WATCHDOG;
    }
    if (flags & RCC_CSR_SOFTWARE) {
        return BOARD_RESET_SOFTWARE;
    }
    if (flags & RCC_CSR_POWER) {
        return BOARD_RESET_POWER;
    }
    return flags & RCC_CSR_PIN ? BOARD_RESET_PIN : BOARD_RESET_UNKNOWN;
}

uint32_t clock_init(void) {
    RCC_APB1ENR1 |= RCC_APB1ENR1_PWR;
    cause = read_reset_cause();
    if (run_from_pll()) {
        clock_hz = F_CPU;
    } else {
        RCC_CFGR = RCC_CFGR_SW_MSI;
    }
    return clock_hz;
}

uint32_t board_clock_hz(void) {
    return clock_hz;
}

board_reset_cause_t board_reset_cause(void) {
    return cause;
}

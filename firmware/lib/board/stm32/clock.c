/*
 * Runs the core at F_CPU, in whole MHz, from the internal 16 MHz oscillator, because a board may lack a crystal. The
 * STM32F401 can run at 84 MHz, the F411 at 100 MHz, the F2 at 120 MHz, the F405 and F407 at 168 MHz, and the F446 at
 * 180 MHz. Each wait is bounded; if the hardware does not respond, the core stays at 16 MHz.
 */
#include "board.h"
#include "stm32.h"

#define HSI_HZ 16000000u

/* 16 MHz / 16 = 1 MHz; times VCO_MHZ, which must be 192 to 432, divided by PLL_DIVIDER, is F_CPU. Divided by VCO_TO_USB
 * it is at most 48 MHz, for USB. */
#define PLL_DIVIDER (F_CPU < 96000000u ? 4u : 2u)
#define VCO_MHZ (PLL_DIVIDER * (F_CPU / 1000000u))
#define VCO_TO_USB ((VCO_MHZ + 47u) / 48u)
#define PLL_FROM_HSI                                                                                                   \
    (RCC_PLLCFGR_RESERVED | 16u | (VCO_MHZ << 6) | ((PLL_DIVIDER / 2u - 1u) << 16) | (VCO_TO_USB << 24))

/* One wait state for each 30 MHz beyond the first 30 MHz, at 2.7 to 3.6 V. */
#define WAIT_STATES ((F_CPU - 1u) / 30000000u)

/* Beyond this, the regulator needs its over-drive. */
#define NEEDS_OVERDRIVE (F_CPU > 168000000u)

/* Iterations to wait, ten times as long as the 300 us that a PLL may take to lock. In emulation each one is wasted. */
#define PATIENCE 10000u

static uint32_t clock_hz = HSI_HZ;
static board_reset_cause_t cause;

static bool reached(volatile const uint32_t *reg, uint32_t mask, uint32_t value) {
    for (uint32_t i = 0; i < PATIENCE; i++) {
        if ((*reg & mask) == value) {
            return true;
        }
    }
    return false;
}

/* Call it while the PLL starts, which may not be used before. */
static bool overdrive(void) {
    PWR_CR |= PWR_CR_ODEN;
    if (!reached(&PWR_CSR, PWR_CSR_ODRDY, PWR_CSR_ODRDY)) {
        return false;
    }
    PWR_CR |= PWR_CR_ODSWEN;
    return reached(&PWR_CSR, PWR_CSR_ODSWRDY, PWR_CSR_ODSWRDY);
}

static bool run_from_pll(void) {
    RCC_CR |= RCC_CR_HSION;
    if (!reached(&RCC_CR, RCC_CR_HSIRDY, RCC_CR_HSIRDY)) {
        return false;
    }
#ifdef STM32_VOLTAGE_SCALE_1
    PWR_CR |= PWR_CR_VOS_SCALE_1;
#endif
    RCC_PLLCFGR = PLL_FROM_HSI;
    RCC_CR |= RCC_CR_PLLON;
    if (NEEDS_OVERDRIVE && !overdrive()) {
        return false;
    }
    if (!reached(&RCC_CR, RCC_CR_PLLRDY, RCC_CR_PLLRDY)) {
        return false;
    }
    FLASH_ACR = FLASH_ACR_LATENCY(WAIT_STATES) | FLASH_ACR_CACHES;
    if (!reached(&FLASH_ACR, FLASH_ACR_LATENCY_MASK, FLASH_ACR_LATENCY(WAIT_STATES))) {
        return false;
    }
    RCC_CFGR = RCC_CFGR_APB1_DIV | RCC_CFGR_APB2_DIV2 | RCC_CFGR_SW_PLL;
    return reached(&RCC_CFGR, RCC_CFGR_SWS_MASK, RCC_CFGR_SWS_PLL);
}

static board_reset_cause_t read_reset_cause(void) {
    uint32_t flags = RCC_CSR;
    RCC_CSR |= RCC_CSR_RMVF;
    /* Every reset also pulls the pin, and power-on also sets the brown-out flag: check the most specific cause first.
     */
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
    RCC_APB1ENR |= RCC_APB1ENR_PWR;
    cause = read_reset_cause();
    if (!run_from_pll()) {
        RCC_CFGR = 0;
        return clock_hz;
    }
    clock_hz = F_CPU;
    return clock_hz / (USART_BUS == 1 ? APB1_DIVIDER : APB2_DIVIDER);
}

uint32_t board_clock_hz(void) {
    return clock_hz;
}

board_reset_cause_t board_reset_cause(void) {
    return cause;
}

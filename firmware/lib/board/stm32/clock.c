/*
 * Runs the core at F_CPU, in whole MHz, from the internal 16 MHz oscillator, because a board may lack a crystal. Every
 * STM32F4 from the F405 up can run at 168 MHz, every STM32F2 at 120 MHz. Each wait is bounded; if the hardware does not
 * respond, the core stays at 16 MHz.
 */
#include "board.h"
#include "stm32.h"

#define HSI_HZ 16000000u
#define APB1_DIVIDER 4u
#define APB2_DIVIDER 2u

/* 16 MHz / 16 = 1 MHz; times VCO_MHZ, divided by 2 (coded 0), is F_CPU. Divided by VCO_TO_USB it is 48 MHz for USB,
 * which the manual requires. */
#define VCO_MHZ (2u * (F_CPU / 1000000u))
#define VCO_TO_USB (VCO_MHZ / 48u)
#define PLL_FROM_HSI (16u | (VCO_MHZ << 6) | (0u << 16) | (VCO_TO_USB << 24))

/* One wait state for each 30 MHz beyond the first 30 MHz, at 2.7 to 3.6 V. */
#define WAIT_STATES ((F_CPU - 1u) / 30000000u)

/* Whether the regulator needs its higher voltage. The STM32F2 has only one voltage, and is slower. */
#define NEEDS_HIGH_VOLTAGE (F_CPU > 144000000u)

/* Iterations to wait, far longer than the 300 us that a PLL may take to lock. */
#define PATIENCE 100000u

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

static bool run_from_pll(void) {
    RCC_CR |= RCC_CR_HSION;
    if (!reached(&RCC_CR, RCC_CR_HSIRDY, RCC_CR_HSIRDY)) {
        return false;
    }
    if (NEEDS_HIGH_VOLTAGE) {
        PWR_CR |= PWR_CR_VOS_SCALE1;
    }
    RCC_PLLCFGR = PLL_FROM_HSI;
    RCC_CR |= RCC_CR_PLLON;
    if (!reached(&RCC_CR, RCC_CR_PLLRDY, RCC_CR_PLLRDY)) {
        return false;
    }
    FLASH_ACR = FLASH_ACR_LATENCY(WAIT_STATES) | FLASH_ACR_CACHES;
    if (!reached(&FLASH_ACR, FLASH_ACR_LATENCY_MASK, FLASH_ACR_LATENCY(WAIT_STATES))) {
        return false;
    }
    RCC_CFGR = RCC_CFGR_APB1_DIV4 | RCC_CFGR_APB2_DIV2 | RCC_CFGR_SW_PLL;
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

/*
 * F_CPU, in whole MHz, from the internal 16 MHz oscillator, without a crystal that a board may lack: 168 MHz is what
 * every STM32F4 from the F405 up can do, 120 MHz what every STM32F2 can. Each wait is bounded; where the hardware does
 * not come along the oscillator is used as it is.
 */
#include "board.h"
#include "stm32.h"

#define HSI_HZ 16000000u
#define APB1_DIVIDER 4u
#define APB2_DIVIDER 2u

/* 16 MHz / 16 = 1 MHz, x VCO_MHZ, / 2 (coded 0) = F_CPU; / VCO_TO_USB = 48 MHz for USB, which the manual wants in
 * range. */
#define VCO_MHZ (2u * (F_CPU / 1000000u))
#define VCO_TO_USB (VCO_MHZ / 48u)
#define PLL_FROM_HSI (16u | (VCO_MHZ << 6) | (0u << 16) | (VCO_TO_USB << 24))

/* One for each 30 MHz beyond the first, at 2.7 to 3.6 V. */
#define WAIT_STATES ((F_CPU - 1u) / 30000000u)

/* The regulator's higher voltage. The STM32F2 has but one, and is slower. */
#define NEEDS_HIGH_VOLTAGE (F_CPU > 144000000u)

/* Far longer than the 300 us that a PLL may take to lock. */
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
    /* Every reset also pulls the pin, and power-on sets the flags of a brown-out: the most specific comes first. */
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

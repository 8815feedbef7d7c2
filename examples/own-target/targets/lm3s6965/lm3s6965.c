/*
 * What the firmware asks of an LM3S6965 (data sheet DS-LM3S6965-14773): its clock and UART 0, received by interrupt and
 * sent by polling. tflm-hil's parts for every Cortex-M do the rest.
 */
#include "board.h"
#include "cortexm/cortexm.h"

#define SYSCTL_RESC REGISTER(0x400FE05Cu)
#define SYSCTL_RESC_EXT (1u << 0)
#define SYSCTL_RESC_POWER ((1u << 1) | (1u << 2)) /* power on, brown-out */
#define SYSCTL_RESC_WATCHDOG (1u << 3)
#define SYSCTL_RESC_SOFTWARE (1u << 4)
#define SYSCTL_RIS REGISTER(0x400FE050u)
#define SYSCTL_RIS_PLL_LOCKED (1u << 6)
#define SYSCTL_RCC REGISTER(0x400FE060u)
#define SYSCTL_RCC_MAIN_OSCILLATOR_OFF (1u << 0)
#define SYSCTL_RCC_SOURCE_MASK (3u << 4) /* 0: the main oscillator */
#define SYSCTL_RCC_CRYSTAL_MASK (15u << 6)
#define SYSCTL_RCC_CRYSTAL_8_MHZ (14u << 6)
#define SYSCTL_RCC_BYPASS_PLL (1u << 11)
#define SYSCTL_RCC_PLL_OFF (1u << 13)
#define SYSCTL_RCC_DIVIDE (1u << 22)
#define SYSCTL_RCC_DIVISOR_MASK (15u << 23)
#define SYSCTL_RCC_DIVISOR(n) (((n) - 1u) << 23) /* of the 200 MHz of the PLL */
#define SYSCTL_RCGC1 REGISTER(0x400FE104u)
#define SYSCTL_RCGC1_UART0 (1u << 0)
#define SYSCTL_RCGC2 REGISTER(0x400FE108u)
#define SYSCTL_RCGC2_GPIOA (1u << 0)

#define GPIOA_AFSEL REGISTER(0x40004420u)
#define GPIOA_DEN REGISTER(0x4000451Cu)
#define BOTH_PINS (1u << BOARD_UART_TX_PIN | 1u << BOARD_UART_RX_PIN)

#define UART0_DR REGISTER(0x4000C000u)
#define UART0_DR_OVERRUN (1u << 11)
#define UART0_FR REGISTER(0x4000C018u)
#define UART0_FR_BUSY (1u << 3)
#define UART0_FR_RX_EMPTY (1u << 4)
#define UART0_FR_TX_FULL (1u << 5)
#define UART0_IBRD REGISTER(0x4000C024u)
#define UART0_FBRD REGISTER(0x4000C028u)
#define UART0_LCRH REGISTER(0x4000C02Cu)
#define UART0_LCRH_8_BITS (3u << 5)
#define UART0_CTL REGISTER(0x4000C030u)
#define UART0_CTL_ENABLE ((1u << 0) | (1u << 8) | (1u << 9)) /* the UART, its transmitter and its receiver */
#define UART0_IM REGISTER(0x4000C038u)
#define UART0_IM_RX (1u << 4)
#define UART0_ICR REGISTER(0x4000C044u)
#define UART0_IRQ 5u

/* Far longer than the PLL takes to lock, and than a byte takes. */
#define PATIENCE 100000u

/* Of the baud rate divided by 16, in 64ths. */
#define DIVISOR ((F_CPU * 4u + BOARD_UART_BAUD / 2u) / BOARD_UART_BAUD)

static volatile uint32_t overruns;
static board_reset_cause_t cause;

CHIP_UART_IRQ(UART0_IRQ)

void chip_on_uart(void) {
    UART0_ICR = UART0_IM_RX;
    while (!(UART0_FR & UART0_FR_RX_EMPTY)) {
        uint32_t word = UART0_DR;
        if (word & UART0_DR_OVERRUN) {
            overruns++;
        }
        board_on_receive((uint8_t)word);
    }
}

static board_reset_cause_t read_reset_cause(void) {
    uint32_t flags = SYSCTL_RESC;
    SYSCTL_RESC = 0;
    if (flags & SYSCTL_RESC_POWER) {
        return BOARD_RESET_POWER; /* which makes the other flags mean nothing */
    }
    if (flags & SYSCTL_RESC_WATCHDOG) {
        return BOARD_RESET_WATCHDOG;
    }
    if (flags & SYSCTL_RESC_SOFTWARE) {
        return BOARD_RESET_SOFTWARE;
    }
    return flags & SYSCTL_RESC_EXT ? BOARD_RESET_PIN : BOARD_RESET_UNKNOWN;
}

/* The PLL's 200 MHz, from the crystal of 8 MHz, divided by 4. */
static void clock_init(void) {
    uint32_t rcc = (SYSCTL_RCC | SYSCTL_RCC_BYPASS_PLL) & ~SYSCTL_RCC_DIVIDE;
    SYSCTL_RCC = rcc;
    rcc &= ~(SYSCTL_RCC_MAIN_OSCILLATOR_OFF | SYSCTL_RCC_SOURCE_MASK | SYSCTL_RCC_CRYSTAL_MASK | SYSCTL_RCC_PLL_OFF);
    SYSCTL_RCC = rcc |= SYSCTL_RCC_CRYSTAL_8_MHZ;
    rcc &= ~SYSCTL_RCC_DIVISOR_MASK;
    SYSCTL_RCC = rcc |= SYSCTL_RCC_DIVISOR(200000000u / F_CPU) | SYSCTL_RCC_DIVIDE;
    for (uint32_t i = 0; i < PATIENCE && !(SYSCTL_RIS & SYSCTL_RIS_PLL_LOCKED); i++) {
    }
    SYSCTL_RCC = rcc & ~SYSCTL_RCC_BYPASS_PLL;
}

void chip_init(void) {
    cause = read_reset_cause();
    clock_init();
    SYSCTL_RCGC1 |= SYSCTL_RCGC1_UART0;
    SYSCTL_RCGC2 |= SYSCTL_RCGC2_GPIOA;
    __asm volatile("nop\n nop\n nop" ::: "memory"); /* a clock takes three cycles to arrive */
    GPIOA_AFSEL |= BOTH_PINS;
    GPIOA_DEN |= BOTH_PINS;
    UART0_IBRD = DIVISOR / 64u;
    UART0_FBRD = DIVISOR % 64u;
    UART0_LCRH = UART0_LCRH_8_BITS; /* without a FIFO, so that each byte interrupts */
    UART0_IM = UART0_IM_RX;
    UART0_CTL = UART0_CTL_ENABLE;
}

uint32_t board_clock_hz(void) {
    return F_CPU;
}

board_reset_cause_t board_reset_cause(void) {
    return cause;
}

void board_uart_write(const uint8_t *data, uint32_t length) {
    for (uint32_t i = 0; i < length; i++) {
        for (uint32_t tries = 0; tries < PATIENCE && UART0_FR & UART0_FR_TX_FULL; tries++) {
        }
        UART0_DR = data[i];
    }
}

void board_uart_flush(void) {
    for (uint32_t tries = 0; tries < PATIENCE && UART0_FR & UART0_FR_BUSY; tries++) {
    }
}

uint32_t board_uart_overruns(void) {
    return overruns;
}

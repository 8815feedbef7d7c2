/* LPUART1 on the pins of the target's file; receives by interrupt and sends by polling. */
#include "board.h"
#include "stm32l4.h"

#define PORT BOARD_UART_TX_PORT
#define TX BOARD_UART_TX_PIN
#define RX BOARD_UART_RX_PIN
_Static_assert(BOARD_UART_RX_PORT == PORT, "the pins are not in one port");

/* Iterations to wait, many times longer than the 11 bit times of a byte at any clock. */
#define PATIENCE 100000u

static volatile uint32_t overruns;

CHIP_UART_IRQ(LPUART1_IRQ)

void chip_init(void) {
    uart_init(clock_init());
}

void chip_on_uart(void) {
    if (LPUART1_ISR & LPUART1_ISR_ORE) {
        LPUART1_ICR = LPUART1_ICR_ORECF;
        overruns++;
    }
    while (LPUART1_ISR & LPUART1_ISR_RXNE) {
        board_on_receive((uint8_t)LPUART1_RDR); /* the read also clears the flag */
    }
}

/* Changes the field of `pin` in a register with fields of `bits` bits. */
static void set_field(volatile uint32_t *reg, uint32_t bits, uint32_t pin, uint32_t value) {
    uint32_t shift = bits * (pin % (32u / bits));
    *reg = (*reg & ~(((1u << bits) - 1u) << shift)) | value << shift;
}

static void connect(uint32_t pin) {
    set_field(&GPIO_AFR(PORT, pin), 4, pin, GPIO_AFR_LPUART1);
    set_field(&GPIO_PUPDR(PORT), 2, pin, GPIO_PUPDR_UP); /* an open line is idle */
    set_field(&GPIO_MODER(PORT), 2, pin, GPIO_MODER_ALTERNATE);
}

void uart_init(uint32_t bus_hz) {
    PWR_CR2 |= PWR_CR2_IOSV;
    RCC_AHB2ENR |= RCC_AHB2ENR_GPIO(PORT);
    RCC_APB1ENR2 |= RCC_APB1ENR2_LPUART1;
    connect(TX);
    connect(RX);
    LPUART1_BRR = (uint32_t)((256ull * bus_hz + BOARD_UART_BAUD / 2) / BOARD_UART_BAUD); /* 0x300 to 0xFFFFF */
    LPUART1_CR1 = LPUART1_CR1_UE | LPUART1_CR1_TE | LPUART1_CR1_RE | LPUART1_CR1_RXNEIE;
}

static void await(uint32_t flag) {
    for (uint32_t i = 0; i < PATIENCE && !(LPUART1_ISR & flag); i++) {
    }
}

void board_uart_write(const uint8_t *data, uint32_t length) {
    for (uint32_t i = 0; i < length; i++) {
        await(LPUART1_ISR_TXE);
        LPUART1_TDR = data[i];
    }
}

void board_uart_flush(void) {
    await(LPUART1_ISR_TC);
}

uint32_t board_uart_overruns(void) {
    return overruns;
}

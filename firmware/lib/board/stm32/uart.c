/* USART2 on PA2 (out) and PA3 (in): the virtual COM port of the NUCLEO boards. Received by interrupt, sent by polling.
 */
#include "board.h"
#include "stm32.h"

#define BAUD 460800u
#define IRQ 38u

/* Many times the 11 bit times that a byte takes, at any clock. */
#define PATIENCE 100000u

static volatile uint32_t overruns;

const uint8_t chip_uart_irq = IRQ;

void chip_init(void) {
    uart_init(clock_init());
}

static void on_interrupt(void) {
    uint32_t status = USART2_SR;
    if (status & USART_SR_ORE) {
        overruns++;
    }
    if (status & (USART_SR_RXNE | USART_SR_ORE)) {
        uint8_t byte = (uint8_t)USART2_DR; /* the read also clears both flags */
        if (status & USART_SR_RXNE) {
            board_on_receive(byte);
        }
    }
}

__attribute__((section(".vectors.irq"), used)) static const vector_t vectors[IRQ + 1] = {
    [0 ... IRQ - 1] = fault_entry,
    [IRQ] = on_interrupt,
};

void uart_init(uint32_t apb1_hz) {
    RCC_AHB1ENR |= RCC_AHB1ENR_GPIOA;
    RCC_APB1ENR |= RCC_APB1ENR_USART2;
    GPIOA_AFRL = (GPIOA_AFRL & ~0xFF00u) | 0x7700u;   /* PA2 and PA3: function 7 */
    GPIOA_MODER = (GPIOA_MODER & ~0xF0u) | 0xA0u;     /* alternate function */
    GPIOA_OSPEEDR = (GPIOA_OSPEEDR & ~0xF0u) | 0x50u; /* medium speed */
    GPIOA_PUPDR = (GPIOA_PUPDR & ~0xF0u) | 0x50u;     /* pulled up: an open line is idle */
    USART2_BRR = (apb1_hz + BAUD / 2) / BAUD;
    USART2_CR1 = USART_CR1_UE | USART_CR1_TE | USART_CR1_RE | USART_CR1_RXNEIE;
}

static void await(uint32_t flag) {
    for (uint32_t i = 0; i < PATIENCE && !(USART2_SR & flag); i++) {
    }
}

void board_uart_write(const uint8_t *data, uint32_t length) {
    for (uint32_t i = 0; i < length; i++) {
        await(USART_SR_TXE);
        USART2_DR = data[i];
    }
}

void board_uart_flush(void) {
    await(USART_SR_TC);
}

uint32_t board_uart_overruns(void) {
    return overruns;
}

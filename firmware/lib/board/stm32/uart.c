/* The USART on the pins of the target's file; receives by interrupt and sends by polling. */
#include "board.h"
#include "stm32.h"

#define PORT BOARD_UART_TX_PORT
#define TX BOARD_UART_TX_PIN
#define RX BOARD_UART_RX_PIN
_Static_assert(BOARD_UART_RX_PORT == PORT && RX / 8 == TX / 8, "the pins are not in the same half of a port");

/* The fields of both pins in registers with one field of `bits` bits per pin. */
#define BOTH_PINS(bits, value) ((value) << (bits) * (TX % (32u / (bits))) | (value) << (bits) * (RX % (32u / (bits))))

/* Iterations to wait, many times longer than the 11 bit times of a byte at any clock. */
#define PATIENCE 100000u

static volatile uint32_t overruns;

CHIP_UART_IRQ(USART_IRQ)

void chip_init(void) {
    uart_init(clock_init());
}

void chip_on_uart(void) {
    uint32_t status;
    while ((status = USART_SR) & (USART_SR_RXNE | USART_SR_ORE)) {
        uint8_t byte = (uint8_t)USART_DR; /* the read also clears both flags */
        if (status & USART_SR_ORE) {
            overruns++;
        }
        if (status & USART_SR_RXNE) {
            board_on_receive(byte);
        }
    }
}

void uart_init(uint32_t bus_hz) {
    RCC_AHB1ENR |= RCC_AHB1ENR_GPIO(PORT);
    RCC_USART_ENABLE |= 1u << USART_BUS_BIT;
    GPIO_AFR(PORT, TX) = (GPIO_AFR(PORT, TX) & ~BOTH_PINS(4, 0xFu)) | BOTH_PINS(4, USART_FUNCTION);
    GPIO_MODER(PORT) = (GPIO_MODER(PORT) & ~BOTH_PINS(2, 3u)) | BOTH_PINS(2, GPIO_MODER_ALTERNATE);
    GPIO_OSPEEDR(PORT) = (GPIO_OSPEEDR(PORT) & ~BOTH_PINS(2, 3u)) | BOTH_PINS(2, GPIO_OSPEEDR_MEDIUM);
    GPIO_PUPDR(PORT) = (GPIO_PUPDR(PORT) & ~BOTH_PINS(2, 3u)) | BOTH_PINS(2, GPIO_PUPDR_UP); /* an open line is idle */
    USART_BRR = (bus_hz + BOARD_UART_BAUD / 2) / BOARD_UART_BAUD;
    USART_CR1 = USART_CR1_UE | USART_CR1_TE | USART_CR1_RE | USART_CR1_RXNEIE;
}

static void await(uint32_t flag) {
    for (uint32_t i = 0; i < PATIENCE && !(USART_SR & flag); i++) {
    }
}

void board_uart_write(const uint8_t *data, uint32_t length) {
    for (uint32_t i = 0; i < length; i++) {
        await(USART_SR_TXE);
        USART_DR = data[i];
    }
}

void board_uart_flush(void) {
    await(USART_SR_TC);
}

uint32_t board_uart_overruns(void) {
    return overruns;
}

/* The UART on the pins of the target's file; receives by interrupt and sends by polling. */
#include "board.h"
#include "nrf.h"

#define IRQ 2u

/* Iterations to wait, many times longer than a byte takes. */
#define PATIENCE 100000u

static volatile uint32_t overruns;

CHIP_UART_IRQ(IRQ)

void chip_on_uart(void) {
    if (UART_ERRORSRC & UART_ERRORSRC_OVERRUN) {
        UART_ERRORSRC = UART_ERRORSRC_OVERRUN; /* writing a one clears it */
        overruns++;
    }
    while (UART_EVENTS_RXDRDY) {
        UART_EVENTS_RXDRDY = 0; /* before the byte is read: the next byte in the FIFO sets it again */
        board_on_receive((uint8_t)UART_RXD);
    }
}

void uart_init(void) {
    GPIO_OUTSET(BOARD_UART_TX_PORT) = 1u << BOARD_UART_TX_PIN; /* an idle line is high */
    GPIO_PIN_CNF(BOARD_UART_TX_PORT, BOARD_UART_TX_PIN) = GPIO_PIN_CNF_OUTPUT;
    GPIO_PIN_CNF(BOARD_UART_RX_PORT, BOARD_UART_RX_PIN) = GPIO_PIN_CNF_INPUT;
    UART_PSELTXD = UART_PSEL(BOARD_UART_TX_PORT, BOARD_UART_TX_PIN);
    UART_PSELRXD = UART_PSEL(BOARD_UART_RX_PORT, BOARD_UART_RX_PIN);
    UART_BAUDRATE = UART_BAUDRATE_OF(BOARD_UART_BAUD);
    UART_ENABLE = UART_ENABLE_ENABLED;
    UART_INTENSET = UART_INT_RXDRDY;
    UART_TASKS_STARTTX = 1;
    UART_TASKS_STARTRX = 1;
}

void board_uart_write(const uint8_t *data, uint32_t length) {
    for (uint32_t i = 0; i < length; i++) {
        UART_EVENTS_TXDRDY = 0;
        UART_TXD = data[i];
        for (uint32_t tries = 0; tries < PATIENCE && !UART_EVENTS_TXDRDY; tries++) {
        }
    }
}

void board_uart_flush(void) {
    /* board_uart_write() returns when the last byte has been sent. */
}

uint32_t board_uart_overruns(void) {
    return overruns;
}

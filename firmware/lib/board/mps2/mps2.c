/* UART 0 of an MPS2+ board; receives by interrupt and sends by polling. The FPGA image determines the clock. */
#include "mps2.h"

#include "board.h"

#define DIVIDER ((F_CPU + BOARD_UART_BAUD / 2) / BOARD_UART_BAUD)
#define BITS_PER_BYTE 10u

/* Iterations to wait, many times longer than a byte takes. */
#define PATIENCE 100000u

static volatile uint32_t overruns;

CHIP_UART_IRQ(MPS2_UART_IRQ)

void chip_on_uart(void) {
    UART_INTCLEAR = UART_INTCLEAR_RX; /* before the bytes are read: the next one sets it again */
    if (UART_STATE & UART_STATE_RX_OVERRUN) {
        UART_STATE = UART_STATE_RX_OVERRUN; /* writing it clears it */
        overruns++;
    }
    while (UART_STATE & UART_STATE_RX_FULL) {
        board_on_receive((uint8_t)UART_DATA);
    }
}

void chip_init(void) {
    UART_BAUDDIV = DIVIDER;
    UART_CTRL = UART_CTRL_TX_ENABLE | UART_CTRL_RX_ENABLE | UART_CTRL_RX_INTERRUPT;
}

uint32_t board_clock_hz(void) {
    return F_CPU;
}

/* The FPGA does not record the cause. */
board_reset_cause_t board_reset_cause(void) {
    return BOARD_RESET_UNKNOWN;
}

static void await_room(void) {
    for (uint32_t i = 0; i < PATIENCE && UART_STATE & UART_STATE_TX_FULL; i++) {
    }
}

void board_uart_write(const uint8_t *data, uint32_t length) {
    for (uint32_t i = 0; i < length; i++) {
        await_room();
        UART_DATA = data[i];
    }
}

/* The UART does not show when the last byte has been sent, so wait as long as a byte takes. */
void board_uart_flush(void) {
    await_room();
    for (volatile uint32_t i = 0; i < BITS_PER_BYTE * DIVIDER; i++) {
    }
}

uint32_t board_uart_overruns(void) {
    return overruns;
}

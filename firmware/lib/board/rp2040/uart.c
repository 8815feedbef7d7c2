/* UART 0 on the pins of the target's file; receives by interrupt and sends by polling. */
#include "board.h"
#include "rp2040.h"

_Static_assert(BOARD_UART_TX_PIN % 16 % 12 == 0 && BOARD_UART_RX_PIN == BOARD_UART_TX_PIN + 1,
               "UART 0 is on GPIO0 and 1, 12 and 13, 16 and 17, or 28 and 29");

/* Iterations to wait, many times longer than a byte takes. */
#define PATIENCE 100000u

static volatile uint32_t overruns;

CHIP_UART_IRQ(UART0_IRQ)

/* It comes for four bytes, or when the line has been idle for 32 bit times. */
void chip_on_uart(void) {
    UART0_ICR = UART0_INT_RX | UART0_INT_RX_TIMEOUT;
    while (!(UART0_FR & UART0_FR_RX_EMPTY)) {
        uint32_t word = UART0_DR;
        if (word & UART0_DR_OVERRUN) {
            overruns++;
        }
        board_on_receive((uint8_t)word);
    }
}

void uart_init(uint32_t hz) {
    uint32_t divisor = (hz * 4u + BOARD_UART_BAUD / 2u) / BOARD_UART_BAUD; /* of the baud rate times 16, in 64ths */
    CLK_PERI_CTRL = CLK_PERI_CTRL_ENABLE | CLK_PERI_CTRL_AUXSRC_SYS;
    chip_release(RESETS_UART0 | RESETS_IO_BANK0 | RESETS_PADS_BANK0);
    UART0_IBRD = divisor / 64u;
    UART0_FBRD = divisor % 64u;
    UART0_LCR_H = UART0_LCR_H_8_BITS | UART0_LCR_H_FIFOS; /* after the divisor, which takes effect with it */
    UART0_IFLS = UART0_IFLS_RX_4_BYTES;
    UART0_IMSC = UART0_INT_RX | UART0_INT_RX_TIMEOUT;
    UART0_CR = UART0_CR_ENABLE;
    IO_BANK0_CTRL(BOARD_UART_TX_PIN) = IO_BANK0_CTRL_UART;
    IO_BANK0_CTRL(BOARD_UART_RX_PIN) = IO_BANK0_CTRL_UART;
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

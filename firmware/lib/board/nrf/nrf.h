/*
 * The registers that the firmware uses (nRF51 Series Reference Manual, version 3.0; nRF52840 Product Specification,
 * version 1.7). The nRF52840 still has the UART of the nRF51, at the same address, beside one with DMA.
 */
#ifndef NRF_H
#define NRF_H

#include "cortexm/cortexm.h"

#define POWER_RESETREAS REGISTER(0x40000400u)
#define POWER_RESETREAS_PIN (1u << 0)
#define POWER_RESETREAS_WATCHDOG (1u << 1)
#define POWER_RESETREAS_SOFTWARE (1u << 2)

#define CLOCK_TASKS_HFCLKSTART REGISTER(0x40000000u)
#define CLOCK_EVENTS_HFCLKSTARTED REGISTER(0x40000100u)

#define NVMC_ICACHECNF REGISTER(0x4001E540u) /* not on the nRF51 */
#define NVMC_ICACHECNF_CACHEEN (1u << 0)

#define GPIO(port) (0x50000000u + 0x300u * (port))
#define GPIO_OUTSET(port) REGISTER(GPIO(port) + 0x508u)
#define GPIO_PIN_CNF(port, pin) REGISTER(GPIO(port) + 0x700u + 4u * (pin))
#define GPIO_PIN_CNF_INPUT 0u
#define GPIO_PIN_CNF_OUTPUT 3u /* with the input buffer disconnected */

#define UART_TASKS_STARTRX REGISTER(0x40002000u)
#define UART_TASKS_STARTTX REGISTER(0x40002008u)
#define UART_EVENTS_RXDRDY REGISTER(0x40002108u)
#define UART_EVENTS_TXDRDY REGISTER(0x4000211Cu)
#define UART_INTENSET REGISTER(0x40002304u)
#define UART_INT_RXDRDY (1u << 2)
#define UART_ERRORSRC REGISTER(0x40002480u)
#define UART_ERRORSRC_OVERRUN (1u << 0)
#define UART_ENABLE REGISTER(0x40002500u)
#define UART_ENABLE_ENABLED 4u
#define UART_PSELTXD REGISTER(0x4000250Cu)
#define UART_PSELRXD REGISTER(0x40002514u)
#define UART_PSEL(port, pin) (32u * (port) + (pin))
#define UART_RXD REGISTER(0x40002518u)
#define UART_TXD REGISTER(0x4000251Cu)
#define UART_BAUDRATE REGISTER(0x40002524u)
/* baud * 2^32 / 16 MHz, rounded; the lowest 12 bits are not used. */
#define UART_BAUDRATE_OF(baud) ((uint32_t)(((baud) * 0x100000000u / 16000000u + 0x800u) & 0xFFFFF000u))

/* Sets up the UART on the pins of the target's file. */
void uart_init(void);

#endif

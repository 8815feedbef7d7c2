/* The registers that the firmware uses (RP2040 Datasheet; the UART: PL011 Technical Reference Manual, DDI 0183). */
#ifndef RP2040_H
#define RP2040_H

#include "cortexm/cortexm.h"

#define CLK_REF_CTRL REGISTER(0x40008030u)
#define CLK_REF_CTRL_SRC_XOSC (2u << 0)
#define CLK_REF_SELECTED REGISTER(0x40008038u) /* a bit for each value of the field SRC */
#define CLK_REF_SELECTED_XOSC (1u << 2)
#define CLK_SYS_CTRL REGISTER(0x4000803Cu)
#define CLK_SYS_CTRL_SRC_REF (0u << 0)
#define CLK_SYS_CTRL_SRC_AUX (1u << 0)
#define CLK_SYS_CTRL_AUXSRC_PLL_SYS (0u << 5)
#define CLK_SYS_SELECTED REGISTER(0x40008044u)
#define CLK_SYS_SELECTED_REF (1u << 0)
#define CLK_SYS_SELECTED_AUX (1u << 1)
#define CLK_PERI_CTRL REGISTER(0x40008048u)
#define CLK_PERI_CTRL_ENABLE (1u << 11)
#define CLK_PERI_CTRL_AUXSRC_SYS (0u << 5)

#define RESETS_RESET REGISTER(0x4000C000u)
#define RESETS_RESET_DONE REGISTER(0x4000C008u)
#define RESETS_IO_BANK0 (1u << 5)
#define RESETS_PADS_BANK0 (1u << 8)
#define RESETS_PLL_SYS (1u << 12)
#define RESETS_UART0 (1u << 22)

#define PSM_WDSEL REGISTER(0x40010008u)
#define PSM_WDSEL_ALL_BUT_OSCILLATORS 0x0001FFFCu

#define IO_BANK0_CTRL(pin) REGISTER(0x40014004u + 8u * (pin))
#define IO_BANK0_CTRL_UART 2u

#define XOSC_CTRL REGISTER(0x40024000u)
#define XOSC_CTRL_ENABLE ((0xFABu << 12) | 0xAA0u) /* up to 15 MHz */
#define XOSC_STATUS REGISTER(0x40024004u)
#define XOSC_STATUS_STABLE (1u << 31)
#define XOSC_STARTUP REGISTER(0x4002400Cu) /* in 256 periods */

#define PLL_SYS_CS REGISTER(0x40028000u)
#define PLL_SYS_CS_REFDIV(divider) ((divider) << 0)
#define PLL_SYS_CS_LOCK (1u << 31)
#define PLL_SYS_PWR REGISTER(0x40028004u)
#define PLL_SYS_PWR_DSMPD (1u << 2) /* nothing fractional, so its modulator stays off */
#define PLL_SYS_PWR_POSTDIVPD (1u << 3)
#define PLL_SYS_FBDIV_INT REGISTER(0x40028008u)
#define PLL_SYS_PRIM REGISTER(0x4002800Cu)
#define PLL_SYS_PRIM_POSTDIV(first, second) ((first) << 16 | (second) << 12)

#define UART0_IRQ 20u
#define UART0_DR REGISTER(0x40034000u)
#define UART0_DR_OVERRUN (1u << 11)
#define UART0_FR REGISTER(0x40034018u)
#define UART0_FR_BUSY (1u << 3)
#define UART0_FR_RX_EMPTY (1u << 4)
#define UART0_FR_TX_FULL (1u << 5)
#define UART0_IBRD REGISTER(0x40034024u)
#define UART0_FBRD REGISTER(0x40034028u)
#define UART0_LCR_H REGISTER(0x4003402Cu)
#define UART0_LCR_H_FIFOS (1u << 4)
#define UART0_LCR_H_8_BITS (3u << 5)
#define UART0_CR REGISTER(0x40034030u)
#define UART0_CR_ENABLE ((1u << 0) | (1u << 8) | (1u << 9)) /* the UART, its transmitter and its receiver */
#define UART0_IFLS REGISTER(0x40034034u)
#define UART0_IFLS_RX_4_BYTES (0u << 3)
#define UART0_IMSC REGISTER(0x40034038u)
#define UART0_ICR REGISTER(0x40034044u)
#define UART0_INT_RX (1u << 4)
#define UART0_INT_RX_TIMEOUT (1u << 6)

#define WATCHDOG_CTRL REGISTER(0x40058000u)
#define WATCHDOG_CTRL_TRIGGER (1u << 31)
#define WATCHDOG_REASON REGISTER(0x40058008u)
#define WATCHDOG_REASON_TIMER (1u << 0)
#define WATCHDOG_REASON_FORCE (1u << 1)

#define CHIP_RESET REGISTER(0x40064008u)
#define CHIP_RESET_HAD_POR (1u << 8)
#define CHIP_RESET_HAD_RUN (1u << 16)

/* Takes peripherals out of reset, and waits for them. */
void chip_release(uint32_t resets);

/* Sets up UART 0 on the pins of the target's file; `hz` is the clock of the peripherals. */
void uart_init(uint32_t hz);

#endif

/*
 * The registers that the firmware uses of Arm's MPS2+ FPGA images (application notes AN386, AN500 and AN505; the UART:
 * Cortex-M System Design Kit Technical Reference Manual, DDI 0479, section 4.3). The target's file defines
 * MPS2_UART and MPS2_UART_IRQ, the address of UART 0 and its interrupt for received bytes.
 */
#ifndef MPS2_H
#define MPS2_H

#include "cortexm/cortexm.h"

#define UART_DATA REGISTER(MPS2_UART + 0x00u)
#define UART_STATE REGISTER(MPS2_UART + 0x04u)
#define UART_STATE_TX_FULL (1u << 0)
#define UART_STATE_RX_FULL (1u << 1)
#define UART_STATE_RX_OVERRUN (1u << 3)
#define UART_CTRL REGISTER(MPS2_UART + 0x08u)
#define UART_CTRL_TX_ENABLE (1u << 0)
#define UART_CTRL_RX_ENABLE (1u << 1)
#define UART_CTRL_RX_INTERRUPT (1u << 3)
#define UART_INTCLEAR REGISTER(MPS2_UART + 0x0Cu)
#define UART_INTCLEAR_RX (1u << 1)
#define UART_BAUDDIV REGISTER(MPS2_UART + 0x10u)

#endif

/* The registers that the firmware uses (ST reference manual RM0432 for the STM32L4R5). */
#ifndef STM32L4_H
#define STM32L4_H

#include "cortexm/cortexm.h"

#define PWR_CR2 REGISTER(0x40007004u)
#define PWR_CR2_IOSV (1u << 9) /* VDDIO2, which supplies PG2 to PG15, is there */
#define PWR_CR5 REGISTER(0x40007080u)
#define PWR_CR5_R1MODE (1u << 8) /* without it, the regulator allows more than 80 MHz */

#define FLASH_ACR REGISTER(0x40022000u)
#define FLASH_ACR_LATENCY(wait_states) (wait_states)
#define FLASH_ACR_LATENCY_MASK 0xFu
#define FLASH_ACR_CACHES (7u << 8) /* prefetch, instruction and data cache */

#define RCC_CR REGISTER(0x40021000u)
#define RCC_CR_HSION (1u << 8)
#define RCC_CR_HSIRDY (1u << 10)
#define RCC_CR_PLLON (1u << 24)
#define RCC_CR_PLLRDY (1u << 25)
#define RCC_CFGR REGISTER(0x40021008u)
#define RCC_CFGR_SW_MSI (0u << 0)
#define RCC_CFGR_SW_PLL (3u << 0)
#define RCC_CFGR_SWS_MASK (3u << 2)
#define RCC_CFGR_SWS_PLL (3u << 2)
#define RCC_CFGR_AHB_DIV2 (8u << 4)
#define RCC_PLLCFGR REGISTER(0x4002100Cu)
#define RCC_PLLCFGR_SRC_HSI (2u << 0)
#define RCC_PLLCFGR_M(m) (((m) - 1u) << 4)
#define RCC_PLLCFGR_N(n) ((n) << 8)
#define RCC_PLLCFGR_R_ENABLE (1u << 24)
#define RCC_PLLCFGR_R_DIV2 (0u << 25)
#define RCC_AHB2ENR REGISTER(0x4002104Cu)
#define RCC_AHB2ENR_GPIO(port) (1u << (port))
#define RCC_APB1ENR1 REGISTER(0x40021058u)
#define RCC_APB1ENR1_PWR (1u << 28)
#define RCC_APB1ENR2 REGISTER(0x4002105Cu)
#define RCC_APB1ENR2_LPUART1 (1u << 0)
#define RCC_CSR REGISTER(0x40021094u)
#define RCC_CSR_RMVF (1u << 23)
#define RCC_CSR_PIN (1u << 26)
#define RCC_CSR_POWER (1u << 27)
#define RCC_CSR_SOFTWARE (1u << 28)
#define RCC_CSR_WATCHDOG ((1u << 29) | (1u << 30))

/* Port A is 0. */
#define GPIO(port) (0x48000000u + 0x400u * (port))
#define GPIO_MODER(port) REGISTER(GPIO(port) + 0x00u)
#define GPIO_MODER_ALTERNATE 2u
#define GPIO_PUPDR(port) REGISTER(GPIO(port) + 0x0Cu)
#define GPIO_PUPDR_UP 1u
#define GPIO_AFR(port, pin) REGISTER(GPIO(port) + 0x20u + 4u * ((pin) / 8u))
#define GPIO_AFR_LPUART1 8u

#define LPUART1_IRQ 70u
#define LPUART1_CR1 REGISTER(0x40008000u)
#define LPUART1_CR1_UE (1u << 0)
#define LPUART1_CR1_RE (1u << 2)
#define LPUART1_CR1_TE (1u << 3)
#define LPUART1_CR1_RXNEIE (1u << 5)
#define LPUART1_BRR REGISTER(0x4000800Cu)
#define LPUART1_ISR REGISTER(0x4000801Cu)
#define LPUART1_ISR_ORE (1u << 3)
#define LPUART1_ISR_RXNE (1u << 5)
#define LPUART1_ISR_TC (1u << 6)
#define LPUART1_ISR_TXE (1u << 7)
#define LPUART1_ICR REGISTER(0x40008020u)
#define LPUART1_ICR_ORECF (1u << 3)
#define LPUART1_RDR REGISTER(0x40008024u)
#define LPUART1_TDR REGISTER(0x40008028u)

/* Sets up the fastest possible clock; returns the clock of the LPUART, in Hz. */
uint32_t clock_init(void);

/* Sets up the LPUART on the pins of the target's file. */
void uart_init(uint32_t bus_hz);

#endif

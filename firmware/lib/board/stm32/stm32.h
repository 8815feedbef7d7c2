/*
 * The registers that the firmware uses (ST reference manuals RM0033 for the STM32F2, RM0090 for the STM32F405 and F407,
 * RM0368 for the F401, RM0383 for the F411 and RM0390 for the F446); they have the same addresses on all of these.
 *
 * The target's file defines STM32_USART, the number of the USART that carries the protocol, and its pins. It also
 * defines STM32_VOLTAGE_SCALE_1 if the chip needs the regulator's highest voltage at its clock: not the F2, which has
 * only one voltage, nor the F401, which has no such scale.
 */
#ifndef STM32_H
#define STM32_H

#include "cortexm/cortexm.h"

#define PWR_CR REGISTER(0x40007000u)
#define PWR_CR_VOS_SCALE_1                                                                                             \
    (1u << 14) /* on the F411 and F446 the next bit is part of the field, and set after reset                          \
                */
#define PWR_CR_ODEN (1u << 16)
#define PWR_CR_ODSWEN (1u << 17)
#define PWR_CSR REGISTER(0x40007004u)
#define PWR_CSR_ODRDY (1u << 16)
#define PWR_CSR_ODSWRDY (1u << 17)

#define FLASH_ACR REGISTER(0x40023C00u)
#define FLASH_ACR_LATENCY(wait_states) (wait_states)
#define FLASH_ACR_LATENCY_MASK 0xFu
#define FLASH_ACR_CACHES (7u << 8) /* prefetch, instruction and data cache */

#define RCC_CR REGISTER(0x40023800u)
#define RCC_CR_HSION (1u << 0)
#define RCC_CR_HSIRDY (1u << 1)
#define RCC_CR_PLLON (1u << 24)
#define RCC_CR_PLLRDY (1u << 25)
#define RCC_PLLCFGR REGISTER(0x40023804u)
#define RCC_PLLCFGR_RESERVED (2u << 28) /* after reset; on the F446 a further divider */
#define RCC_CFGR REGISTER(0x40023808u)
#define RCC_CFGR_SW_PLL (2u << 0)
#define RCC_CFGR_SWS_MASK (3u << 2)
#define RCC_CFGR_SWS_PLL (2u << 2)
#define RCC_CFGR_APB1_DIV2 (4u << 10)
#define RCC_CFGR_APB1_DIV4 (5u << 10)
#define RCC_CFGR_APB2_DIV2 (4u << 13)
#define RCC_AHB1ENR REGISTER(0x40023830u)
#define RCC_AHB1ENR_GPIO(port) (1u << (port))
#define RCC_APB1ENR REGISTER(0x40023840u)
#define RCC_APB1ENR_PWR (1u << 28)
#define RCC_APB2ENR REGISTER(0x40023844u)
#define RCC_CSR REGISTER(0x40023874u)
#define RCC_CSR_RMVF (1u << 24)
#define RCC_CSR_POWER ((1u << 25) | (1u << 27))
#define RCC_CSR_PIN (1u << 26)
#define RCC_CSR_SOFTWARE (1u << 28)
#define RCC_CSR_WATCHDOG ((1u << 29) | (1u << 30))

/* What both buses divide a core clock of F_CPU by: the slower one may run at 30 MHz (F2) to 50 MHz (F411), the faster
 * one at twice that. A core that stays at its first clock divides by nothing. */
#if F_CPU > 100000000
#define APB1_DIVIDER 4u
#define RCC_CFGR_APB1_DIV RCC_CFGR_APB1_DIV4
#else
#define APB1_DIVIDER 2u
#define RCC_CFGR_APB1_DIV RCC_CFGR_APB1_DIV2
#endif
#define APB2_DIVIDER 2u

/* Port A is 0. */
#define GPIO(port) (0x40020000u + 0x400u * (port))
#define GPIO_MODER(port) REGISTER(GPIO(port) + 0x00u)
#define GPIO_MODER_ALTERNATE 2u
#define GPIO_OTYPER(port) REGISTER(GPIO(port) + 0x04u)
#define GPIO_OTYPER_OPEN_DRAIN 1u
#define GPIO_OSPEEDR(port) REGISTER(GPIO(port) + 0x08u)
#define GPIO_OSPEEDR_MEDIUM 1u
#define GPIO_PUPDR(port) REGISTER(GPIO(port) + 0x0Cu)
#define GPIO_PUPDR_UP 1u
#define GPIO_AFR(port, pin) REGISTER(GPIO(port) + 0x20u + 4u * ((pin) / 8u))

/* The address of the USART, its bus, the bit that turns its clock on in the register of the bus, the alternate function
 * of its pins, and its interrupt. */
#if STM32_USART == 1
#define USART 0x40011000u
#define USART_BUS 2
#define USART_BUS_BIT 4
#define USART_FUNCTION 7u
#define USART_IRQ 37u
#elif STM32_USART == 2
#define USART 0x40004400u
#define USART_BUS 1
#define USART_BUS_BIT 17
#define USART_FUNCTION 7u
#define USART_IRQ 38u
#elif STM32_USART == 3
#define USART 0x40004800u
#define USART_BUS 1
#define USART_BUS_BIT 18
#define USART_FUNCTION 7u
#define USART_IRQ 39u
#elif STM32_USART == 6
#define USART 0x40011400u
#define USART_BUS 2
#define USART_BUS_BIT 5
#define USART_FUNCTION 8u
#define USART_IRQ 71u
#else
#error "STM32_USART is not 1, 2, 3 or 6: set it in [build] defines of the target's file"
#endif
#if USART_BUS == 1
#define RCC_USART_ENABLE RCC_APB1ENR
#else
#define RCC_USART_ENABLE RCC_APB2ENR
#endif
#define USART_SR REGISTER(USART + 0x00u)
#define USART_DR REGISTER(USART + 0x04u)
#define USART_BRR REGISTER(USART + 0x08u)
#define USART_CR1 REGISTER(USART + 0x0Cu)
#define USART_SR_ORE (1u << 3)
#define USART_SR_RXNE (1u << 5)
#define USART_SR_TC (1u << 6)
#define USART_SR_TXE (1u << 7)
#define USART_CR1_RE (1u << 2)
#define USART_CR1_TE (1u << 3)
#define USART_CR1_RXNEIE (1u << 5)
#define USART_CR1_UE (1u << 13)

/* Sets up the fastest possible clock; returns the clock of the bus of the USART, in Hz. */
uint32_t clock_init(void);

/* Sets up the USART on the pins of the target's file. */
void uart_init(uint32_t bus_hz);

#endif

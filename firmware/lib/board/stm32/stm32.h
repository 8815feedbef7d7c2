/* The registers that the firmware uses (ST reference manuals RM0033 for the STM32F2, RM0090 for the STM32F405
 * and RM0390 for the STM32F446): those of the F2 are all where the F4 has them. */
#ifndef STM32_H
#define STM32_H

#include "cortexm.h"

#define PWR_CR REGISTER(0x40007000u)
#define PWR_CR_VOS_SCALE1 (1u << 14) /* on the F446 a second bit above it is set from reset on */

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
#define RCC_CFGR REGISTER(0x40023808u)
#define RCC_CFGR_SW_PLL (2u << 0)
#define RCC_CFGR_SWS_MASK (3u << 2)
#define RCC_CFGR_SWS_PLL (2u << 2)
#define RCC_CFGR_APB1_DIV4 (5u << 10)
#define RCC_CFGR_APB2_DIV2 (4u << 13)
#define RCC_AHB1ENR REGISTER(0x40023830u)
#define RCC_AHB1ENR_GPIOA (1u << 0)
#define RCC_APB1ENR REGISTER(0x40023840u)
#define RCC_APB1ENR_USART2 (1u << 17)
#define RCC_APB1ENR_PWR (1u << 28)
#define RCC_CSR REGISTER(0x40023874u)
#define RCC_CSR_RMVF (1u << 24)
#define RCC_CSR_POWER ((1u << 25) | (1u << 27))
#define RCC_CSR_PIN (1u << 26)
#define RCC_CSR_SOFTWARE (1u << 28)
#define RCC_CSR_WATCHDOG ((1u << 29) | (1u << 30))

#define GPIOA_MODER REGISTER(0x40020000u)
#define GPIOA_OSPEEDR REGISTER(0x40020008u)
#define GPIOA_PUPDR REGISTER(0x4002000Cu)
#define GPIOA_AFRL REGISTER(0x40020020u)

#define USART2_SR REGISTER(0x40004400u)
#define USART2_DR REGISTER(0x40004404u)
#define USART2_BRR REGISTER(0x40004408u)
#define USART2_CR1 REGISTER(0x4000440Cu)
#define USART_SR_ORE (1u << 3)
#define USART_SR_RXNE (1u << 5)
#define USART_SR_TC (1u << 6)
#define USART_SR_TXE (1u << 7)
#define USART_CR1_RE (1u << 2)
#define USART_CR1_TE (1u << 3)
#define USART_CR1_RXNEIE (1u << 5)
#define USART_CR1_UE (1u << 13)

/* Sets up the fastest clock that can be had; returns the one of APB1, from which USART2 runs, in Hz. */
uint32_t clock_init(void);

/* USART2 on PA2 and PA3. */
void uart_init(uint32_t apb1_hz);

#endif

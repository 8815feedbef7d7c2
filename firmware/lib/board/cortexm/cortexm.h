/*
 * The registers of the Cortex-M core that the firmware uses (ARMv7-M Architecture Reference Manual, DDI 0403, chapter
 * B3; for the Cortex-M0: ARMv6-M, DDI 0419), and declarations that the files of this folder share.
 */
#ifndef CORTEXM_H
#define CORTEXM_H

#include <stdint.h>

#define REGISTER(address) (*(volatile uint32_t *)(address))

/* Cortex-M3 and up. An ARMv6-M core has only one kind of fault, without a cause, and no cycle counter. */
#define CORTEXM_MAINLINE (__ARM_ARCH_ISA_THUMB >= 2)

#define SYST_CSR REGISTER(0xE000E010u)
#define SYST_RVR REGISTER(0xE000E014u)
#define SYST_CVR REGISTER(0xE000E018u)
#define SYST_CSR_ENABLE (1u << 0)
#define SYST_CSR_TICKINT (1u << 1)
#define SYST_CSR_CORE_CLOCK (1u << 2)

#if CORTEXM_MAINLINE
#define NVIC_WORDS 8
#else
#define NVIC_WORDS 1
#endif
#define NVIC_ISER(irq) REGISTER(0xE000E100u + 4u * ((irq) / 32u))
#define NVIC_ICER(irq) REGISTER(0xE000E180u + 4u * ((irq) / 32u))
#define NVIC_ISPR(irq) REGISTER(0xE000E200u + 4u * ((irq) / 32u))
#define NVIC_ICPR(irq) REGISTER(0xE000E280u + 4u * ((irq) / 32u))
#define NVIC_BIT(irq) (1u << ((irq) % 32u))
#define NVIC_IPR(irq) REGISTER(0xE000E400u + 4u * ((irq) / 4u)) /* ARMv6-M takes only whole words */
#define NVIC_IPR_SHIFT(irq) (8u * ((irq) % 4u))

#define SCB_AIRCR REGISTER(0xE000ED0Cu)
#define SCB_AIRCR_SYSRESETREQ (0x05FA0000u | (1u << 2))
#define SCB_CCR REGISTER(0xE000ED14u)
#define SCB_CCR_DIV_0_TRP (1u << 4)
#define SCB_SHPR3 REGISTER(0xE000ED20u)
#define SCB_SHCSR REGISTER(0xE000ED24u)
#define SCB_SHCSR_FAULTS_ENABLE (7u << 16) /* usage, bus and memory management faults separate from the hard fault */
#define SCB_CFSR REGISTER(0xE000ED28u)
#define SCB_HFSR REGISTER(0xE000ED2Cu)
#define SCB_MMFAR REGISTER(0xE000ED34u)
#define SCB_BFAR REGISTER(0xE000ED38u)
#define SCB_CPACR REGISTER(0xE000ED88u)
#define SCB_CPACR_FPU (0xFu << 20)

#define DCB_DEMCR REGISTER(0xE000EDFCu)
#define DCB_DEMCR_TRCENA (1u << 24)
#define DWT_CTRL REGISTER(0xE0001000u)
#define DWT_CTRL_CYCCNTENA (1u << 0)
#define DWT_CYCCNT REGISTER(0xE0001004u)
#define DWT_LAR REGISTER(0xE0001FB0u)
#define DWT_LAR_UNLOCK 0xC5ACCE55u /* a Cortex-M7 ignores writes to its DWT until then */

typedef void (*vector_t)(void);

/* Sleeps with interrupts off until a reset. */
__attribute__((noreturn)) void cortexm_halt(void);

/* Finds out how to measure on this chip, and leaves the interrupt of the UART on. */
void measure_init(void);

/* The vector of the UART's interrupt: calls chip_on_uart(). */
void measure_uart_interrupt(void);

/* The handler of all faults, and of all exceptions and interrupts without another handler. */
void fault_entry(void);

/*
 * The counter, from cortexm_counter/ or from the microcontroller's folder, which also provides board_counter().
 * counter_ticks() returns its ticks, modulo 2^32; they mean something from counter_start() to counter_stop().
 */
void counter_init(void);
void counter_start(void);
uint32_t counter_ticks(void);
void counter_stop(void);
void counter_on_systick(void);

/*
 * What a microcontroller's folder provides, besides the board_uart_ functions, board_clock_hz() and
 * board_reset_cause(). CHIP_UART_IRQ(number) states the interrupt of its UART and makes the vectors;
 * chip_on_uart() is called for it, and passes on everything that has been received. chip_reset() is optional, for chips
 * that the core does not reset.
 */
void chip_init(void);
void chip_reset(void);
void chip_on_uart(void);
extern const uint8_t chip_uart_irq;

#define CHIP_UART_IRQ(number)                                                                                          \
    const uint8_t chip_uart_irq = (number);                                                                            \
    _Pragma("GCC diagnostic push") _Pragma("GCC diagnostic ignored \"-Woverride-init\"")                               \
        __attribute__((section(".vectors.irq"), used)) static const vector_t vectors[(number) + 1] = {                 \
            [0 ...(number)] = fault_entry,                                                                             \
            [(number)] = measure_uart_interrupt,                                                                       \
    };                                                                                                                 \
    _Pragma("GCC diagnostic pop")

#endif

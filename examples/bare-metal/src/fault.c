/*
 * Optional: tells the harness of a fault, so that a test shows the function and the line in which it happened, and who
 * called it. Without it the harness only sees that the device has fallen silent.
 */
#include "tflm_hil.h"
#include "uart.h"

#define REGISTER(address) (*(volatile uint32_t *)(address))
#define HARD_FAULT 0

extern const uint32_t stack_top[];

void on_fault(void);
__attribute__((used)) void report_fault(const uint32_t *frame, const uint32_t *saved);

/* Passes the eight words that the core has pushed, then r4 to r11. */
__attribute__((naked)) void on_fault(void) {
    __asm volatile("mov  r0, sp       \n"
                   "push {r4-r11}     \n"
                   "mov  r1, sp       \n"
                   "b    report_fault \n");
}

/* This program does not use the FPU, whose registers the core would have pushed as well. */
void report_fault(const uint32_t *frame, const uint32_t *saved) {
    uint32_t psr = frame[7];
    const uint32_t *stack = frame + 8 + (psr >> 9 & 1); /* one word more where the core has aligned the stack */
    uint32_t registers[HIL_REGISTERS] = {
        [HIL_LR] = frame[5],
        [HIL_PC] = frame[6],
        [HIL_PSR] = psr,
        [HIL_CFSR] = REGISTER(0xE000ED28u),
        [HIL_HFSR] = REGISTER(0xE000ED2Cu),
        [HIL_MMFAR] = REGISTER(0xE000ED34u),
        [HIL_BFAR] = REGISTER(0xE000ED38u),
        [HIL_SP] = (uint32_t)(uintptr_t)stack,
    };
    for (uint8_t i = 0; i < 8; i++) {
        registers[HIL_R4 + i] = saved[i];
    }
    hil_crash(HARD_FAULT, registers, stack, (uint32_t)((uintptr_t)stack_top - (uintptr_t)stack));
    for (;;) {
    }
}

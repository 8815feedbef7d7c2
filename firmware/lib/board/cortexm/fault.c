/* The fault handler: reports the state of the core, then halts. */
#include "board.h"
#include "cortexm.h"
#include "stack.h"

/* The registers that the core pushes on an exception; 18 more words follow if the state of the FPU is in use. */
typedef struct {
    uint32_t r0, r1, r2, r3, r12, lr, pc, psr;
} frame_t;

#define EXC_RETURN_BASIC_FRAME (1u << 4)
#define FPU_FRAME_BYTES 72u
#define PSR_STACK_ALIGNED (1u << 9)

__attribute__((used)) void fault_report(const frame_t *frame, uint32_t exc_return);

/*
 * Passes the stack pointer to fault_report() and moves away from a stack that may be exhausted. If the stack pointer is
 * in the upper half, there is enough room below it. If it is in the lower half, continue at the top of the stack, which
 * is far from the frame that fault_report() has to read.
 */
__attribute__((naked)) void fault_entry(void) {
    __asm volatile("cpsid i                 \n"
                   "mov   r0, sp            \n"
                   "mov   r1, lr            \n"
                   "ldr   r2, =_stack_limit \n"
                   "ldr   r3, =_stack_top   \n"
                   "adds  r2, r2, r3        \n"
                   "lsrs  r2, r2, #1        \n"
                   "cmp   r0, r2            \n"
                   "bhs   1f                \n"
                   "mov   sp, r3            \n"
                   "1:                      \n"
                   "ldr   r2, =fault_report \n"
                   "bx    r2                \n");
}

static uint8_t kind_of_exception(uint32_t exception) {
    switch (exception) {
    case 3:
        return BOARD_FAULT_HARD;
    case 4:
        return BOARD_FAULT_MEMORY;
    case 5:
        return BOARD_FAULT_BUS;
    case 6:
        return BOARD_FAULT_USAGE;
    default:
        return BOARD_FAULT_OTHER;
    }
}

void fault_report(const frame_t *frame, uint32_t exc_return) {
    uint32_t exception;
    __asm volatile("mrs %0, ipsr" : "=r"(exception));
    board_fault_t fault = {
        .kind = kind_of_exception(exception),
#if CORTEXM_MAINLINE
        .cfsr = SCB_CFSR,
        .hfsr = SCB_HFSR,
        .mmfar = SCB_MMFAR,
        .bfar = SCB_BFAR,
#endif
        .sp = (uint32_t)frame,
    };
    /* After a stack overflow the frame was never written, and reading it would fault again. */
    if ((uintptr_t)frame >= (uintptr_t)_stack_limit && (uintptr_t)(frame + 1) <= (uintptr_t)_stack_top) {
        fault.pc = frame->pc;
        fault.lr = frame->lr;
        fault.psr = frame->psr;
        fault.sp += sizeof(frame_t) + (exc_return & EXC_RETURN_BASIC_FRAME ? 0 : FPU_FRAME_BYTES) +
                    (frame->psr & PSR_STACK_ALIGNED ? 4 : 0);
    }
    board_on_fault(&fault);
    cortexm_halt();
}

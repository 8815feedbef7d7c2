/* The fault handler: reports the state of the core and what is on the stack, then resets. */
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

/* The registers that the core does not push, as fault_entry() does. */
typedef struct {
    uint32_t r8, r9, r10, r11, r4, r5, r6, r7;
} saved_t;

/* The most stack that this handler and what it calls use, in bytes. */
#define HANDLER_BYTES 640
#define TEXT_OF(number) #number
#define TEXT(number) TEXT_OF(number)

__attribute__((used)) void fault_report(const frame_t *frame, uint32_t exc_return, const saved_t *saved);

/*
 * Passes the stack pointer and the registers to fault_report(). If there may be too little room below the stack
 * pointer, it continues at the top of the stack, which is far from the frame that fault_report() has to read.
 */
__attribute__((naked)) void fault_entry(void) {
    __asm volatile(
        "cpsid i                                           \n"
        "mov   r0, sp                                      \n"
        "mov   r1, lr                                      \n"
        "ldr   r2, =_stack_limit + " TEXT(HANDLER_BYTES) " \n"
                                                         "cmp   r0, r2                                      \n"
                                                         "bhs   1f                                          \n"
                                                         "ldr   r2, =_stack_top                             \n"
                                                         "mov   sp, r2                                      \n"
                                                         "1:                                                \n"
                                                         "push  {r4-r7}                                     \n"
                                                         "mov   r4, r8                                      \n"
                                                         "mov   r5, r9                                      \n"
                                                         "mov   r6, r10                                     \n"
                                                         "mov   r7, r11                                     \n"
                                                         "push  {r4-r7}                                     \n"
                                                         "mov   r2, sp                                      \n"
                                                         "ldr   r3, =fault_report                           \n"
                                                         "bx    r3                                          \n");
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

void fault_report(const frame_t *frame, uint32_t exc_return, const saved_t *saved) {
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
        .r4_to_r11 = {saved->r4, saved->r5, saved->r6, saved->r7, saved->r8, saved->r9, saved->r10, saved->r11},
        .stack = _stack_limit,
    };
    /* What this handler overwrites at the top of the stack is of no use to anyone. */
    const uint32_t *end = (uintptr_t)saved < (uintptr_t)frame ? _stack_top : _stack_top - HANDLER_BYTES / 4;
    /* After a stack overflow the frame was never written, and reading it would fault again. */
    if ((uintptr_t)frame >= (uintptr_t)_stack_limit && (uintptr_t)(frame + 1) <= (uintptr_t)_stack_top) {
        fault.pc = frame->pc;
        fault.lr = frame->lr;
        fault.psr = frame->psr;
        fault.sp += sizeof(frame_t) + (exc_return & EXC_RETURN_BASIC_FRAME ? 0 : FPU_FRAME_BYTES) +
                    (frame->psr & PSR_STACK_ALIGNED ? 4 : 0);
        fault.stack = (const uint32_t *)fault.sp;
    }
    if (fault.stack < end) {
        fault.stack_bytes = (uint32_t)((uintptr_t)end - (uintptr_t)fault.stack);
    }
    board_on_fault(&fault);
    board_reset();
}

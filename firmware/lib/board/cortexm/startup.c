/* From reset to main(), and the vectors of the core. */
#include "cortexm.h"
#include "stack.h"

extern uint32_t _data_start[], _data_end[], _bss_start[], _bss_end[];
extern const uint32_t _data_load[];
extern const vector_t _init_array_start[], _init_array_end[];

int main(void);
void startup_reset(void);

void startup_reset(void) {
#ifdef __ARM_FP
    SCB_CPACR |= SCB_CPACR_FPU;
    __asm volatile("dsb\n isb" ::: "memory");
#endif
    stack_paint();
    const uint32_t *from = _data_load;
    for (uint32_t *to = _data_start; to < _data_end;) {
        *to++ = *from++;
    }
    for (uint32_t *to = _bss_start; to < _bss_end;) {
        *to++ = 0;
    }
    for (const vector_t *constructor = _init_array_start; constructor < _init_array_end; constructor++) {
        (*constructor)();
    }
#if CORTEXM_MAINLINE
    SCB_SHCSR |= SCB_SHCSR_FAULTS_ENABLE;
    SCB_CCR |= SCB_CCR_DIV_0_TRP;
#endif
    main();
    cortexm_halt();
}

__attribute__((section(".vectors.system"), used)) static const vector_t vectors[16] = {
    (vector_t)(uintptr_t)_stack_top,
    startup_reset,
    [2 ... 14] = fault_entry,
    [15] = counter_on_systick,
};

/* Start, sleep, reset and halt of the core. */
#include "board.h"
#include "cortexm.h"

/* The header of the ELF note: three words and the name "GNU", padded to a word. The build id follows. */
#define BUILD_ID_OFFSET 16

/* Reserved on every supported Cortex-M: a read causes a bus error. */
#define UNMAPPED 0x3FFFFFF0u

extern const uint8_t _build_id_note[];

void board_init(void) {
    chip_init();
    counter_init();
    measure_init();
}

const uint8_t *board_build_id(void) {
    return _build_id_note + BUILD_ID_OFFSET;
}

void board_sleep_while(bool (*idle)(void)) {
    __asm volatile("cpsid i" ::: "memory");
    if (idle()) {
        __asm volatile("dsb\n wfi" ::: "memory"); /* a pending interrupt wakes the core even if it is masked */
    }
    __asm volatile("cpsie i" ::: "memory");
}

__attribute__((weak)) void chip_reset(void) {
    SCB_AIRCR = SCB_AIRCR_SYSRESETREQ;
}

void board_reset(void) {
    __asm volatile("dsb" ::: "memory");
    chip_reset();
    for (;;) {
    }
}

void board_crash(board_crash_t kind) {
    switch (kind) {
    case BOARD_CRASH_UNDEFINED_INSTRUCTION:
        __asm volatile("udf #0");
        break;
    case BOARD_CRASH_BUS_ERROR:
        (void)REGISTER(UNMAPPED);
        __asm volatile("dsb" ::: "memory");
        break;
    default:
        cortexm_halt();
    }
}

void cortexm_halt(void) {
    __asm volatile("cpsid i" ::: "memory");
    for (uint32_t word = 0; word < NVIC_WORDS; word++) {
        NVIC_ICER(32u * word) = ~0u; /* a pending interrupt would end every sleep immediately */
    }
    for (;;) {
        __asm volatile("wfi");
    }
}

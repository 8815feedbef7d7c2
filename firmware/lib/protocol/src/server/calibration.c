#include "calibration.h"

#include "../tflm_hil.h"

#ifdef __thumb__

#define TURN_INSTRUCTIONS 16
#define FEW_TURNS 8
#define MANY_TURNS (FEW_TURNS + CALIBRATION_INSTRUCTIONS / TURN_INSTRUCTIONS)

/*
 * Each addition needs the result of the one before, so no core can execute two of them at once: a turn takes at least
 * 14 cycles.
 */
static uint32_t measure(uint32_t turns) {
    uint32_t sum = 0;
    hil_measure_begin();
    __asm volatile(".syntax unified\n"
                   "1: adds %1, %1, %1\n adds %1, %1, %1\n adds %1, %1, %1\n adds %1, %1, %1\n"
                   "adds %1, %1, %1\n adds %1, %1, %1\n adds %1, %1, %1\n adds %1, %1, %1\n"
                   "adds %1, %1, %1\n adds %1, %1, %1\n adds %1, %1, %1\n adds %1, %1, %1\n"
                   "adds %1, %1, %1\n adds %1, %1, %1\n subs %0, #1\n bne 1b\n"
                   : "+l"(turns), "+l"(sum)
                   :
                   : "cc");
    return hil_measure_end();
}

/* The difference of two measurements contains nothing else. The first one only fills caches. */
uint32_t hil_calibration_ticks(void) {
    measure(FEW_TURNS);
    uint32_t few = measure(FEW_TURNS);
    return measure(MANY_TURNS) - few;
}

#else

uint32_t hil_calibration_ticks(void) {
    return 0;
}

#endif

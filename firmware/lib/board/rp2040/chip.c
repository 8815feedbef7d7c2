/*
 * Clock, resets and reset causes of the RP2040. The core and its peripherals run at F_CPU, from the crystal of 12 MHz.
 * Each wait is bounded; if the hardware does not respond, the core stays at the crystal's clock, or at that of the ring
 * oscillator, of which only the order of magnitude is known.
 */
#include "board.h"
#include "rp2040.h"

#define XOSC_HZ 12000000u
#define RING_HZ 6500000u

/* About 1 ms. */
#define XOSC_STARTUP_PERIODS 47u

/* 12 MHz times PLL_FEEDBACK is 750 to 1600 MHz, divided by 6 and by 2 it is F_CPU. */
#define PLL_FEEDBACK (F_CPU / (XOSC_HZ / 12u))
_Static_assert(F_CPU % (XOSC_HZ / 12) == 0 && F_CPU * 12ull >= 750000000 && F_CPU <= 133000000, "no such clock");

/* Iterations to wait, far longer than oscillator and PLL take to start. */
#define PATIENCE 100000u

static uint32_t clock_hz = RING_HZ;
static board_reset_cause_t cause;

static bool reached(volatile const uint32_t *reg, uint32_t mask) {
    for (uint32_t i = 0; i < PATIENCE; i++) {
        if ((*reg & mask) == mask) {
            return true;
        }
    }
    return false;
}

void chip_release(uint32_t resets) {
    RESETS_RESET &= ~resets;
    reached(&RESETS_RESET_DONE, resets);
}

static bool run_from_crystal(void) {
    XOSC_STARTUP = XOSC_STARTUP_PERIODS;
    XOSC_CTRL = XOSC_CTRL_ENABLE;
    if (!reached(&XOSC_STATUS, XOSC_STATUS_STABLE)) {
        return false;
    }
    CLK_SYS_CTRL = CLK_SYS_CTRL_SRC_REF;
    CLK_REF_CTRL = CLK_REF_CTRL_SRC_XOSC;
    return reached(&CLK_SYS_SELECTED, CLK_SYS_SELECTED_REF) && reached(&CLK_REF_SELECTED, CLK_REF_SELECTED_XOSC);
}

static bool run_from_pll(void) {
    RESETS_RESET |= RESETS_PLL_SYS;
    chip_release(RESETS_PLL_SYS);
    PLL_SYS_CS = PLL_SYS_CS_REFDIV(1u);
    PLL_SYS_FBDIV_INT = PLL_FEEDBACK;
    PLL_SYS_PWR = PLL_SYS_PWR_DSMPD | PLL_SYS_PWR_POSTDIVPD;
    if (!reached(&PLL_SYS_CS, PLL_SYS_CS_LOCK)) {
        return false;
    }
    PLL_SYS_PRIM = PLL_SYS_PRIM_POSTDIV(6u, 2u);
    PLL_SYS_PWR = PLL_SYS_PWR_DSMPD;
    CLK_SYS_CTRL = CLK_SYS_CTRL_AUXSRC_PLL_SYS | CLK_SYS_CTRL_SRC_AUX;
    return reached(&CLK_SYS_SELECTED, CLK_SYS_SELECTED_AUX);
}

static uint32_t clock_init(void) {
    if (!run_from_crystal()) {
        return RING_HZ;
    }
    return run_from_pll() ? F_CPU : XOSC_HZ;
}

static board_reset_cause_t read_reset_cause(void) {
    /* The record of the chip remains when the watchdog resets it. */
    if (WATCHDOG_REASON & WATCHDOG_REASON_TIMER) {
        return BOARD_RESET_WATCHDOG;
    }
    if (WATCHDOG_REASON & WATCHDOG_REASON_FORCE) {
        return BOARD_RESET_SOFTWARE;
    }
    if (CHIP_RESET & CHIP_RESET_HAD_POR) {
        return BOARD_RESET_POWER;
    }
    return CHIP_RESET & CHIP_RESET_HAD_RUN ? BOARD_RESET_PIN : BOARD_RESET_UNKNOWN;
}

void chip_init(void) {
    cause = read_reset_cause();
    clock_hz = clock_init();
    uart_init(clock_hz);
}

/* A reset by the core would leave the peripherals as they are; the watchdog resets all but the oscillators. */
void chip_reset(void) {
    PSM_WDSEL = PSM_WDSEL_ALL_BUT_OSCILLATORS;
    WATCHDOG_CTRL = WATCHDOG_CTRL_TRIGGER;
}

uint32_t board_clock_hz(void) {
    return clock_hz;
}

board_reset_cause_t board_reset_cause(void) {
    return cause;
}

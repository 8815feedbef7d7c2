/* ATmega328P (Uno) and ATmega2560 (Mega): Timer1 counts, and the watchdog resets. */
#ifdef ARDUINO_ARCH_AVR

#include "chip.h"

#include <avr/wdt.h>

/* Whether there is a counter. In an emulator without one, Timer0 stands still, although init() has started it. */
static bool counts;

static void find_counter() {
    uint8_t before = TCNT0;
    for (volatile uint16_t i = 0; i < 2000; i++) {
    }
    counts = TCNT0 != before;
}

/* Timer1 counts every eighth cycle in 16 bits, so up to 524,288 cycles. */
void hil_measure_begin(void) {
    noInterrupts();
    if (counts) {
        TCCR1A = 0;
        TCCR1B = _BV(CS11);
        TCNT1 = 0;
    }
}

uint32_t hil_measure_end(void) {
    uint32_t cycles = counts ? 8ul * TCNT1 : 0;
    interrupts();
    return cycles;
}

void hil_reset(void) {
    Serial.flush();
    cli();
    wdt_enable(WDTO_15MS);
    for (volatile uint32_t i = 0; i < 100000; i++) {
    }
    /* An emulator may have no watchdog. */
    ((void (*)(void))0)();
}

hil_reset_cause_t chip_start() {
    uint8_t flags = MCUSR;
    MCUSR = 0;
    wdt_disable();
    Serial.begin(115200);
    find_counter();
    return flags & _BV(WDRF)    ? HIL_RESET_WATCHDOG
           : flags & _BV(EXTRF) ? HIL_RESET_PIN
           : flags & _BV(PORF)  ? HIL_RESET_POWER
                                : HIL_RESET_UNKNOWN;
}

const char *chip_target() {
#ifdef ARDUINO_AVR_UNO
    return "uno";
#else
    return "mega2560";
#endif
}

hil_counter_t chip_counter() {
    return counts ? HIL_COUNTER_TIMER : HIL_COUNTER_NONE;
}

/*
 * Work around QEMU: it delivers an interrupt that came while interrupts were off only at the end of another interrupt.
 * So end one here. A board does not need this; it costs some cycles.
 */
void chip_poll() {
    __asm volatile("rcall 1f\n rjmp 2f\n 1: reti\n 2:" ::: "memory");
}

#endif

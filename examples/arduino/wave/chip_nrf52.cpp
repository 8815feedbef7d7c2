/* nRF52840 (Nano 33 BLE and Nano 33 BLE Sense): the core counts its cycles and resets. Serial is the chip's own USB. */
#ifdef ARDUINO_ARCH_NRF52840

#include "chip.h"

#include <nrf.h>

static uint32_t started;

/* Bytes wait in the USB controller while interrupts are off. */
void hil_measure_begin(void) {
    noInterrupts();
    started = DWT->CYCCNT;
}

uint32_t hil_measure_end(void) {
    uint32_t cycles = DWT->CYCCNT - started;
    interrupts();
    return cycles;
}

/* The port disappears, and comes back. */
void hil_reset(void) {
    Serial.flush();
    NVIC_SystemReset();
}

static hil_reset_cause_t reset_cause() {
    uint32_t flags = NRF_POWER->RESETREAS;
    NRF_POWER->RESETREAS = flags; /* writing ones clears them */
    return flags & POWER_RESETREAS_DOG_Msk        ? HIL_RESET_WATCHDOG
           : flags & POWER_RESETREAS_SREQ_Msk     ? HIL_RESET_SOFTWARE
           : flags & POWER_RESETREAS_RESETPIN_Msk ? HIL_RESET_PIN
           : flags                                ? HIL_RESET_UNKNOWN
                                                  : HIL_RESET_POWER;
}

/* Waits until the port is open, so that nobody misses what is sent first. */
hil_reset_cause_t chip_start() {
    hil_reset_cause_t cause = reset_cause();
    CoreDebug->DEMCR |= CoreDebug_DEMCR_TRCENA_Msk;
    DWT->CTRL |= DWT_CTRL_CYCCNTENA_Msk;
    Serial.begin(115200); /* USB has no rate */
    while (!Serial) {
    }
    return cause;
}

const char *chip_target() {
    return "nano33ble";
}

hil_counter_t chip_counter() {
    return HIL_COUNTER_DWT;
}

void chip_poll() {}

#endif

/*
 * Measures code in ticks of the counter.
 *
 * On hardware, bytes that arrive during a measurement must not wait, because most UARTs hold only one. So their
 * interrupts stay on, and the ticks that they take are taken out of the measurement.
 *
 * An emulator holds bytes back. There, the interrupt is off during a measurement, so that the same code always gives
 * the same count.
 */
#include "board.h"
#include "cortexm.h"

/* How often the interrupt is caused to find out what entering and leaving its handler costs. */
#define TRIALS 16u

/*
 * Code of a known number of instructions. No Cortex-M needs two cycles for one of these, apart from wait states. But
 * QEMU, if it counts instructions, is set up such that each takes more than two ticks (docs/add-your-own-target.md).
 */
#define KNOWN_TURNS 16u
#define KNOWN_INSTRUCTIONS (8u * KNOWN_TURNS)

/* What enables the UART's interrupt during a measurement: its bit of NVIC_ISER, or 0 in an emulator. */
static uint32_t left_on;

static uint32_t started;

/* Of the UART's interrupt, since the start. */
static struct {
    uint32_t count;
    uint32_t ticks;
    uint32_t entry_and_exit; /* ticks of one that its handler cannot see */
    uint32_t before;         /* the count when the measurement began */
    uint32_t in_measurements;
} volatile interrupts;

void measure_uart_interrupt(void) {
    uint32_t entered = counter_ticks();
    chip_on_uart();
    interrupts.count++;
    interrupts.ticks += counter_ticks() - entered + interrupts.entry_and_exit;
}

static void hold_interrupt(void) {
    NVIC_ICER(chip_uart_irq) = NVIC_BIT(chip_uart_irq);
    __asm volatile("dsb\n isb" ::: "memory");
}

void board_measure_begin(void) {
    hold_interrupt();
    counter_start();
    interrupts.before = interrupts.count;
    started = counter_ticks() - interrupts.ticks;
    NVIC_ISER(chip_uart_irq) = left_on;
}

uint32_t board_measure_so_far(void) {
    hold_interrupt();
    uint32_t ticks = counter_ticks() - interrupts.ticks - started;
    NVIC_ISER(chip_uart_irq) = left_on;
    return ticks;
}

uint32_t board_measure_end(void) {
    hold_interrupt();
    uint32_t ticks = counter_ticks() - interrupts.ticks - started;
    interrupts.in_measurements += interrupts.count - interrupts.before;
    counter_stop();
    NVIC_ISER(chip_uart_irq) = NVIC_BIT(chip_uart_irq);
    return ticks;
}

uint32_t board_measure_interrupts(void) {
    return interrupts.in_measurements;
}

static uint32_t measure_known_code(void) {
    uint32_t turns = KNOWN_TURNS;
    board_measure_begin();
    __asm volatile("1: nop\n nop\n nop\n nop\n nop\n nop\n subs %0, #1\n bne 1b" : "+l"(turns) : : "cc");
    return board_measure_end();
}

/* Measures nothing but causing the interrupt, whose own ticks are taken out if it happens. */
static uint32_t measure_trials(void) {
    board_measure_begin();
    for (uint32_t trial = 0; trial < TRIALS; trial++) {
        NVIC_ISPR(chip_uart_irq) = NVIC_BIT(chip_uart_irq);
        __asm volatile("dsb\n isb" ::: "memory");
    }
    return board_measure_end();
}

/* Each measurement is made twice, and the first one only fills caches. */
void measure_init(void) {
    uint32_t without, with;
    measure_known_code();
    if (measure_known_code() > 2 * KNOWN_INSTRUCTIONS) {
        return;
    }
    measure_trials();
    without = measure_trials();
    left_on = NVIC_BIT(chip_uart_irq);
    measure_trials();
    with = measure_trials();
    interrupts.entry_and_exit = (with - without + TRIALS / 2) / TRIALS;
    interrupts.in_measurements = 0;
}

/*
 * Tries one arena size and ends the emulator with the result; harness/tflm_hil/engines/tflm/arena.py bisects with it.
 *
 * The size is the command-line argument that the emulator passes to the program; the arena is the RAM after all
 * variables.
 */
#include "board.h"
#include "engine.h"
#include "tflm.h"

#include <cstdlib>

namespace {

enum { SYS_GET_CMDLINE = 0x15, SYS_EXIT_EXTENDED = 0x20, APPLICATION_EXIT = 0x20026 };

/* Exit statuses that the emulator itself does not use. */
enum { FITS = 10, TOO_SMALL = 11, NO_MORE_RAM = 12 };

constexpr uint32_t GUARD_BYTES = 256;
constexpr uint8_t GUARD = 0xA5;

uint32_t semihosting(uint32_t operation, void *parameters) {
    register uint32_t r0 __asm("r0") = operation;
    register void *r1 __asm("r1") = parameters;
    __asm volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

[[noreturn]] void end(uint32_t status) {
    uint32_t parameters[] = {APPLICATION_EXIT, status};
    for (;;) {
        semihosting(SYS_EXIT_EXTENDED, parameters);
    }
}

uint32_t requested_bytes() {
    char text[64];
    struct {
        char *buffer;
        uint32_t length;
    } parameters = {text, sizeof text};
    semihosting(SYS_GET_CMDLINE, &parameters);
    return strtoul(text, nullptr, 10);
}

/* Returns true if the network runs in `bytes` bytes at `arena` and leaves the guard after them intact. */
bool runs(uint8_t *arena, uint32_t bytes) {
    uint8_t *guard = arena + bytes;
    for (uint32_t i = 0; i < GUARD_BYTES; i++) {
        guard[i] = GUARD;
    }
    bool done = tflm_start(arena, bytes) && engine_invoke();
    for (uint32_t i = 0; i < GUARD_BYTES; i++) {
        done = done && guard[i] == GUARD;
    }
    return done;
}

} // namespace

extern uint8_t _data_end[], _ram_end[];

int main() {
    const uintptr_t mask = TFLM_ARENA_ALIGNMENT - 1;
    const uintptr_t begin = (reinterpret_cast<uintptr_t>(_data_end) + mask) & ~mask;
    const uintptr_t end_of_ram = reinterpret_cast<uintptr_t>(_ram_end);
    const uint32_t requested = requested_bytes();
    if (begin + GUARD_BYTES > end_of_ram || requested > end_of_ram - GUARD_BYTES - begin) {
        end(NO_MORE_RAM);
    }
    end(runs(reinterpret_cast<uint8_t *>(begin), requested) ? FITS : TOO_SMALL);
}

void board_on_fault(const board_fault_t *) {
    end(TOO_SMALL);
}

void board_on_receive(uint8_t) {}

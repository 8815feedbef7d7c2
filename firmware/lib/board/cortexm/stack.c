#include "stack.h"

#include "board.h"

#define PAINT 0xC0DEC0DEu

__attribute__((noinline)) void stack_paint(void) {
    uint32_t *in_use;
    __asm volatile("mov %0, sp" : "=r"(in_use));
    for (volatile uint32_t *word = _stack_limit; word < in_use; word++) {
        *word = PAINT;
    }
}

uint32_t board_stack_size(void) {
    return (uint32_t)((uintptr_t)_stack_top - (uintptr_t)_stack_limit);
}

uint32_t board_stack_peak(void) {
    const uint32_t *word = _stack_limit;
    while (word < _stack_top && *word == PAINT) {
        word++;
    }
    return (uint32_t)((uintptr_t)_stack_top - (uintptr_t)word);
}

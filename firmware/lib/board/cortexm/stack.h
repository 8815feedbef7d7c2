/* The stack: painted at start-up, so that its deepest use can be read off later. */
#ifndef STACK_H
#define STACK_H

#include <stdint.h>

extern uint32_t _stack_limit[],
    _stack_top[]; /* from the linker script; the stack grows from the top down to the limit */

/* Paints what of the stack is not in use. */
void stack_paint(void);

#endif

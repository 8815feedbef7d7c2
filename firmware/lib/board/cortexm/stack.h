/* The stack: painted at start-up, so that its deepest use can be measured later. */
#ifndef STACK_H
#define STACK_H

#include <stdint.h>

/* From the linker script. The stack grows from _stack_top down to _stack_limit. */
extern uint32_t _stack_limit[], _stack_top[];

/* Paints the unused part of the stack. */
void stack_paint(void);

#endif

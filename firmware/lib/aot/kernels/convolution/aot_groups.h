/* The loop of aot_conv_s8_small.c: windows of few inputs times the weights of four outputs at a time. */
#ifndef AOT_GROUPS_H
#define AOT_GROUPS_H

#include <stdint.h>

/* Groups of pixels in rows of equal length. The assembler depends on the offsets of the members. */
typedef struct {
    uint32_t y_step, x_step;    /* from the end of a group's outputs, and from its window, to those of the next one */
    const int8_t *x, *runs_end; /* the first window, and where another run would follow in it; x if there is only one */
    int32_t run_step;           /* from the end of a run to the next one */
    const int8_t *end;          /* x after the groups of a row */
    const int32_t *coefficients; /* see aot_conv_s8_small_t */
    uint32_t blocks, single;     /* in a run */
    uint32_t relu;               /* 1: raises sums to 0 */
    uint32_t row_step;           /* from a window to the one at the same place in the next row */
    int32_t x_skip, y_skip;      /* from the end of a row, after x_step and y_step, to the next row */
    uint32_t rows;               /* that are left */
} aot_groups_t;

/* Writes all outputs of the groups to y. */
void aot_outputs_of_groups(const aot_groups_t *groups, int8_t *y);

#endif

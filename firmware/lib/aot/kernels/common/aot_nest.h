/*
 * Nested loops over two tensors at once, for operators whose tensors have different strides: broadcasting, transposing,
 * slicing. The compiler merges dimensions if one loop can replace two, so few nests have more than two loops.
 */
#ifndef AOT_NEST_H
#define AOT_NEST_H

#include <stdbool.h>
#include <stdint.h>

/* The most loops of a nest, enough for all shapes in a .tflite. */
#define AOT_MAX_AXES 8

/* One loop. Steps are in elements; they may be zero (broadcast) or negative (reversed). */
typedef struct {
    uint32_t size;
    int32_t first_step;
    int32_t second_step;
} aot_axis_t;

/* The state of the loops around the innermost one. */
typedef struct {
    uint32_t index[AOT_MAX_AXES];
    int32_t first; /* the offset of the current element in the first tensor */
    int32_t second;
} aot_position_t;

/* Advances `count` nested loops, the last of which runs fastest; returns false after the last iteration. */
static inline bool aot_advance(aot_position_t *at, const aot_axis_t *axes, uint32_t count) {
    while (count-- != 0) {
        at->first += axes[count].first_step;
        at->second += axes[count].second_step;
        if (++at->index[count] < axes[count].size) {
            return true;
        }
        at->index[count] = 0;
        at->first -= (int32_t)axes[count].size * axes[count].first_step;
        at->second -= (int32_t)axes[count].size * axes[count].second_step;
    }
    return false;
}

/* The loop around the innermost one; a loop of one iteration if there is none. */
static inline aot_axis_t aot_second_axis(const aot_axis_t *axes, uint32_t count) {
    return count > 1 ? axes[count - 2] : (aot_axis_t){1, 0, 0};
}

#endif

/*
 * Operators that only move elements, of any type: TRANSPOSE and STRIDED_SLICE (aot_copy), PAD (aot_pad), CONCATENATION
 * and PACK (aot_concatenate), SPLIT, SPLIT_V and UNPACK (aot_split). Sizes and steps are in bytes.
 */
#ifndef AOT_COPY_H
#define AOT_COPY_H

#include "aot_nest.h"

/* Copies blocks of `block` bytes from x to y; the axes describe the loops over x (first) and y (second). */
typedef struct {
    const aot_axis_t *axes;
    uint32_t axis_count; /* at least 1 */
    uint32_t block;
    uint32_t x_offset;
    uint32_t y_offset;
} aot_copy_t;

void aot_copy(const aot_copy_t *layer, const void *x, void *y);

/* The same, after filling y with one value. */
typedef struct {
    const aot_axis_t *axes;
    uint32_t axis_count;
    uint32_t block;
    uint32_t x_offset;
    uint32_t y_offset;
    uint32_t elements;      /* of y */
    uint32_t element_bytes; /* 1, 2 or 4 */
    uint32_t fill;          /* the bits of the value */
} aot_pad_t;

void aot_pad(const aot_pad_t *layer, const void *x, void *y);

/* Each row of y consists of one row of each input, one after the other. */
typedef struct {
    uint32_t rows;
    uint32_t inputs;
    const uint32_t *row_bytes; /* of each input */
} aot_concatenate_t;

void aot_concatenate(const aot_concatenate_t *layer, const void *const *inputs, void *y);

/* The reverse: a row of x is a row of each output, one after the other. */
typedef struct {
    uint32_t rows;
    uint32_t outputs;
    const uint32_t *row_bytes; /* of each output */
} aot_split_t;

void aot_split(const aot_split_t *layer, const void *x, void *const *outputs);

#endif

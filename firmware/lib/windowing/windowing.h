/*
 * From the sensor's rows to the network's input: collects rows of raw counts, tells when a window is complete, and
 * normalises and quantises it.
 *
 * Everything is IEEE single precision without contraction, so the host gets the same bits:
 *     x = (float)raw * gain[channel] + offset[channel]
 *     float32 input: x      integer input: clip(round_half_even(x / scale) + zero_point)
 */
#ifndef WINDOWING_H
#define WINDOWING_H

#include <stdbool.h>
#include <stdint.h>

#include "engine.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    uint16_t window; /* rows of a window */
    uint16_t stride; /* rows from the start of a window to that of the next; at least 1 */
    uint8_t channels;
    const float *gain; /* one a channel, in 1/counts */
    const float *offset;
} windowing_config_t;

typedef struct {
    const windowing_config_t *config;
    int16_t *rows;   /* window x channels counts: a ring of rows */
    uint16_t oldest; /* the row that the window begins with */
    uint16_t filled; /* rows that are there */
    uint16_t skip;   /* rows to ignore first, where stride exceeds window */
    uint32_t next;   /* number of the next window, counted from windowing_begin() */
} windowing_t;

/* Forgets all rows: the next one is row 0 of a new recording. */
void windowing_begin(windowing_t *windowing);

/* How many windows the next `rows` rows will complete. */
uint32_t windowing_due(const windowing_t *windowing, uint32_t rows);

/*
 * Takes one row, `channels` little-endian int16. True: a window is complete, and windowing_prepare() and then
 * windowing_advance() are to be called before the next row.
 */
bool windowing_push(windowing_t *windowing, const uint8_t *row);

/*
 * Writes the complete window to the tensor, which has windowing_bytes() bytes and one of the types of engine.h: row
 * after row, as [window, channels], or channel after channel, as [channels, window].
 */
void windowing_prepare(const windowing_t *windowing, const engine_tensor_t *input);
void windowing_prepare_channels_first(const windowing_t *windowing, const engine_tensor_t *input);

/* Moves on to the next window. */
void windowing_advance(windowing_t *windowing);

/* Bytes of a window as a tensor of this type; 0 for a type that windowing_prepare() does not know. */
uint32_t windowing_bytes(const windowing_config_t *config, uint8_t tensor_type);

#ifdef __cplusplus
}
#endif

#endif

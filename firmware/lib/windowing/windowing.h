/*
 * Turns rows of the sensor into the network's input: keeps the last rows of raw counts, normalizes and quantizes them.
 *
 * All arithmetic is IEEE single precision without contraction, so the host gets the same bits:
 *     x = (float)raw * gain[channel] + offset[channel]
 *     float32 input: x      integer input: clip(round_half_even(x / scale) + zero_point)
 */
#ifndef WINDOWING_H
#define WINDOWING_H

#include <stdint.h>

#include "hil_tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    uint16_t window; /* rows of a window */
    uint8_t channels;
    const float *gain;   /* one per channel, in 1/counts */
    const float *offset; /* one per channel */
} windowing_config_t;

typedef struct {
    const windowing_config_t *config;
    int16_t *rows;   /* window x channels counts: a ring buffer of rows */
    uint16_t oldest; /* the position of the oldest row, with which the window begins */
} windowing_t;

/* Replaces the oldest row by `row`, `channels` little-endian int16. */
void windowing_push(windowing_t *windowing, const uint8_t *row);

/*
 * Writes the last `window` rows to the tensor as [window, channels] or, channels first, as [channels, window]. The
 * tensor has windowing_bytes() bytes and one of the types of hil_tensor.h.
 */
void windowing_prepare(const windowing_t *windowing, const hil_tensor_t *input);
void windowing_prepare_channels_first(const windowing_t *windowing, const hil_tensor_t *input);

/* The bytes of a window as a tensor of this type; 0 if windowing_prepare() does not support the type. */
uint32_t windowing_bytes(const windowing_config_t *config, uint8_t tensor_type);

#ifdef __cplusplus
}
#endif

#endif

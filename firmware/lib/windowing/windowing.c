#include "windowing.h"

#include <math.h>

void windowing_begin(windowing_t *windowing) {
    windowing->oldest = 0;
    windowing->filled = 0;
    windowing->skip = 0;
    windowing->next = 0;
}

uint32_t windowing_due(const windowing_t *windowing, uint32_t rows) {
    uint32_t first = (uint32_t)windowing->skip + windowing->config->window - windowing->filled;
    return rows < first ? 0 : 1 + (rows - first) / windowing->config->stride;
}

bool windowing_push(windowing_t *windowing, const uint8_t *row) {
    const windowing_config_t *config = windowing->config;
    if (windowing->skip > 0) {
        windowing->skip--;
        return false;
    }
    uint32_t place = ((uint32_t)windowing->oldest + windowing->filled) % config->window;
    int16_t *to = windowing->rows + place * config->channels;
    for (uint32_t i = 0; i < config->channels; i++) {
        to[i] = (int16_t)(uint16_t)(row[2 * i] | row[2 * i + 1] << 8);
    }
    windowing->filled++;
    return windowing->filled == config->window;
}

void windowing_advance(windowing_t *windowing) {
    const windowing_config_t *config = windowing->config;
    windowing->next++;
    if (config->stride < config->window) {
        windowing->oldest = (uint16_t)(((uint32_t)windowing->oldest + config->stride) % config->window);
        windowing->filled = (uint16_t)(config->window - config->stride);
    } else {
        windowing->filled = 0;
        windowing->skip = (uint16_t)(config->stride - config->window);
    }
}

/* Rounds half to even, as the core does by default, and clips to the type. */
static int32_t quantise(float x, const engine_tensor_t *input, float lowest, float highest) {
    float value = rintf(x / input->scale) + (float)input->zero_point;
    value = value < lowest ? lowest : value;
    return (int32_t)(value > highest ? highest : value);
}

static void store(const engine_tensor_t *input, uint32_t index, float x) {
    switch (input->type) {
    case ENGINE_INT8:
        ((int8_t *)input->data)[index] = (int8_t)quantise(x, input, INT8_MIN, INT8_MAX);
        break;
    case ENGINE_UINT8:
        ((uint8_t *)input->data)[index] = (uint8_t)quantise(x, input, 0, UINT8_MAX);
        break;
    case ENGINE_INT16:
        ((int16_t *)input->data)[index] = (int16_t)quantise(x, input, INT16_MIN, INT16_MAX);
        break;
    default:
        ((float *)input->data)[index] = x;
        break;
    }
}

void windowing_prepare(const windowing_t *windowing, const engine_tensor_t *input) {
    const windowing_config_t *config = windowing->config;
    uint32_t index = 0;
    uint32_t place = windowing->oldest;
    for (uint32_t row = 0; row < config->window; row++) {
        const int16_t *raw = windowing->rows + place * config->channels;
        for (uint32_t channel = 0; channel < config->channels; channel++) {
            store(input, index++, (float)raw[channel] * config->gain[channel] + config->offset[channel]);
        }
        place = place + 1 < config->window ? place + 1 : 0;
    }
}

uint32_t windowing_bytes(const windowing_config_t *config, uint8_t tensor_type) {
    uint32_t values = (uint32_t)config->window * config->channels;
    switch (tensor_type) {
    case ENGINE_INT8:
    case ENGINE_UINT8:
        return values;
    case ENGINE_INT16:
        return 2 * values;
    case ENGINE_FLOAT32:
        return 4 * values;
    default:
        return 0;
    }
}

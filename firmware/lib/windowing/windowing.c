#include "windowing.h"

#include "element.h"

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

void windowing_prepare(const windowing_t *windowing, const engine_tensor_t *input) {
    /* Copies, because every store of a byte could change what a pointer leads to. */
    const windowing_config_t config = *windowing->config;
    const engine_tensor_t tensor = *input;
    const integer_t type = integer_of(tensor.type);
    const float zero_point = (float)tensor.zero_point;
    uint32_t index = 0;
    uint32_t place = windowing->oldest;
    for (uint32_t row = 0; row < config.window; row++) {
        const int16_t *raw = windowing->rows + place * config.channels;
        for (uint32_t channel = 0; channel < config.channels; channel++, index++) {
            float x = (float)raw[channel] * config.gain[channel] + config.offset[channel];
            put_element(&tensor, &type, zero_point, index, x);
        }
        place = place + 1 < config.window ? place + 1 : 0;
    }
}

uint32_t windowing_bytes(const windowing_config_t *config, uint8_t tensor_type) {
    uint32_t value = tensor_type == ENGINE_FLOAT32 ? sizeof(float) : integer_of(tensor_type).bytes;
    return value * config->window * config->channels;
}

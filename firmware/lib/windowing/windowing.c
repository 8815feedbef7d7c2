#include "windowing.h"

#include "element.h"

void windowing_push(windowing_t *windowing, const uint8_t *row) {
    const windowing_config_t *config = windowing->config;
    int16_t *to = windowing->rows + windowing->oldest * config->channels;
    for (uint32_t i = 0; i < config->channels; i++) {
        to[i] = (int16_t)(uint16_t)(row[2 * i] | row[2 * i + 1] << 8);
    }
    windowing->oldest++;
    if (windowing->oldest == config->window) {
        windowing->oldest = 0;
    }
}

void windowing_prepare(const windowing_t *windowing, const hil_tensor_t *input) {
    /* Copies, because the compiler must assume that every store of a byte may change what a pointer points to. */
    const windowing_config_t config = *windowing->config;
    const hil_tensor_t tensor = *input;
    const integer_t type = integer_of(tensor.type);
    const float zero_point = (float)tensor.zero_point;
    uint32_t index = 0;
    uint32_t position = windowing->oldest;
    for (uint32_t row = 0; row < config.window; row++) {
        const int16_t *raw = windowing->rows + position * config.channels;
        for (uint32_t channel = 0; channel < config.channels; channel++, index++) {
            float x = (float)raw[channel] * config.gain[channel] + config.offset[channel];
            put_element(&tensor, &type, zero_point, index, x);
        }
        position = position + 1 < config.window ? position + 1 : 0;
    }
}

uint32_t windowing_bytes(const windowing_config_t *config, uint8_t tensor_type) {
    uint32_t value = tensor_type == HIL_FLOAT32 ? sizeof(float) : integer_of(tensor_type).bytes;
    return value * config->window * config->channels;
}

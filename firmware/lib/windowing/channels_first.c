#include "element.h"
#include "windowing.h"

/* In a separate file, so that it does not affect the code for the common layout. */
void windowing_prepare_channels_first(const windowing_t *windowing, const hil_tensor_t *input) {
    /* Copies, because the compiler must assume that every store of a byte may change what a pointer points to. */
    const windowing_config_t config = *windowing->config;
    const hil_tensor_t tensor = *input;
    const integer_t type = integer_of(tensor.type);
    const float zero_point = (float)tensor.zero_point;
    uint32_t position = windowing->oldest;
    for (uint32_t row = 0; row < config.window; row++) {
        const int16_t *raw = windowing->rows + position * config.channels;
        for (uint32_t channel = 0; channel < config.channels; channel++) {
            float x = (float)raw[channel] * config.gain[channel] + config.offset[channel];
            put_element(&tensor, &type, zero_point, channel * config.window + row, x);
        }
        position = position + 1 < config.window ? position + 1 : 0;
    }
}

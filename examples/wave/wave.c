#include "wave.h"

#ifdef __AVR__
#define FLASH8(x) ((int8_t)pgm_read_byte(&(x)))
#define FLASH32(x) ((int32_t)pgm_read_dword(&(x)))
#else
#define FLASH8(x) (x)
#define FLASH32(x) (x)
#endif

int8_t network_input[WAVE_INPUTS];
int8_t network_output[WAVE_OUTPUTS];

/* x * multiplier * 2^(shift - 31), rounded like TFLite: to nearest after the product, and again after the shift. */
static int32_t rescale(int32_t x, int32_t multiplier, int shift) {
    int64_t product = (int64_t)x * multiplier;
    int32_t high = (int32_t)((product + (product >= 0 ? 1l << 30 : 1 - (1l << 30))) / (1ll << 31));
    int right = -shift;
    int32_t mask = (int32_t)((1ul << right) - 1ul);
    int32_t rest = high & mask;
    return (high >> right) + (rest > (mask >> 1) + (high < 0 ? 1 : 0) ? 1 : 0);
}

static int8_t saturate(int32_t x, int32_t lowest) {
    x = x < lowest ? lowest : x;
    return (int8_t)(x > INT8_MAX ? INT8_MAX : x);
}

void network_run(void) {
    int8_t hidden[WAVE_HIDDEN];
    for (int unit = 0; unit < WAVE_HIDDEN; unit++) {
        int32_t sum = 0;
        for (int i = 0; i < WAVE_INPUTS; i++) {
            sum += (int32_t)(network_input[i] - WAVE_INPUT_ZERO) * FLASH8(wave_hidden[unit][i]);
        }
        int32_t scaled = WAVE_HIDDEN_ZERO + rescale(sum, WAVE_HIDDEN_MULTIPLIER, WAVE_HIDDEN_SHIFT);
        hidden[unit] = saturate(scaled, WAVE_HIDDEN_ZERO); /* RELU: no values below zero */
    }
    for (int unit = 0; unit < WAVE_OUTPUTS; unit++) {
        int32_t sum = FLASH32(wave_bias[unit]);
        for (int i = 0; i < WAVE_HIDDEN; i++) {
            sum += (int32_t)(hidden[i] - WAVE_HIDDEN_ZERO) * FLASH8(wave_output[unit][i]);
        }
        int32_t scaled = WAVE_OUTPUT_ZERO + rescale(sum, WAVE_OUTPUT_MULTIPLIER, WAVE_OUTPUT_SHIFT);
        network_output[unit] = saturate(scaled, INT8_MIN);
    }
}

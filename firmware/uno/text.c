#include "text.h"

#include <stdint.h>

/* Writes `number` of units of 10^-`decimals`; returns the end. */
static char *decimal(char *text, uint32_t number, uint8_t decimals) {
    char reversed[NUMBER_TEXT_BYTES];
    uint8_t length = 0;
    do {
        if (length == decimals) {
            reversed[length++] = '.';
        }
        reversed[length++] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0 || length <= decimals + 1);
    while (length > 0) {
        *text++ = reversed[--length];
    }
    return text;
}

static char *value(char *text, int16_t counts, uint8_t channel) {
    uint32_t size = (uint32_t)(counts < 0 ? -(int32_t)counts : counts);
    if (counts < 0) {
        *text++ = '-';
    }
    if (channel < AXES) {
        return decimal(text, (size * 10000 + COUNTS_PER_G / 2) / COUNTS_PER_G, 4);
    }
    return decimal(text, (size * 1000 + TENTHS_OF_COUNTS_PER_DPS / 2) / TENTHS_OF_COUNTS_PER_DPS, 2);
}

void text_row(char *text, const int16_t row[CHANNELS]) {
    for (uint8_t i = 0; i < CHANNELS; i++) {
        text = value(text, row[i], i);
        *text++ = i + 1 < CHANNELS ? ',' : '\n';
    }
    *text = '\0';
}

void text_hundredths(char *text, uint16_t hundredths) {
    *decimal(text, hundredths, 2) = '\0';
}

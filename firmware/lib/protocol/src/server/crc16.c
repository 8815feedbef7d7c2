#include "crc16.h"

/*
 * One byte at a time, without a table. Shifting the byte x = high byte of the crc ^ data through the polynomial
 * x^16 + x^12 + x^5 + 1 feeds its upper half back into its lower half (x ^= x >> 4); then every term of the polynomial
 * contributes one shifted copy. uint_fast16_t is the native word: 32 bits on most cores, 16 bits on an AVR.
 */
uint16_t hil_crc16(uint16_t crc, const uint8_t *data, uint16_t length) {
    uint_fast16_t value = crc;
    for (const uint8_t *end = data + length; data < end; data++) {
        uint_fast16_t x = ((value >> 8) ^ *data) & 0xFFu;
        x ^= x >> 4;
        value = ((value << 8) ^ (x << 12) ^ (x << 5) ^ x) & 0xFFFFu;
    }
    return (uint16_t)value;
}

/* Little-endian fields read from a request and appended to a response. */
#ifndef BYTES_H
#define BYTES_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static inline uint16_t get_u16(const uint8_t *from) {
    return (uint16_t)(from[0] | from[1] << 8);
}

static inline uint32_t get_u32(const uint8_t *from) {
    return (uint32_t)get_u16(from) | (uint32_t)get_u16(from + 2) << 16;
}

/* A body being written. What does not fit is left out, and `overflow` says so. */
typedef struct {
    uint8_t *data;
    uint16_t length;
    uint16_t capacity;
    bool overflow;
} writer_t;

static inline void put_bytes(writer_t *to, const void *data, uint32_t length) {
    if (length > (uint32_t)(to->capacity - to->length)) {
        to->overflow = true;
        return;
    }
    memcpy(to->data + to->length, data, length);
    to->length = (uint16_t)(to->length + length);
}

static inline void put_u8(writer_t *to, uint8_t value) {
    put_bytes(to, &value, 1);
}

static inline void put_u16(writer_t *to, uint16_t value) {
    const uint8_t bytes[2] = {(uint8_t)value, (uint8_t)(value >> 8)};
    put_bytes(to, bytes, sizeof bytes);
}

static inline void put_u32(writer_t *to, uint32_t value) {
    put_u16(to, (uint16_t)value);
    put_u16(to, (uint16_t)(value >> 16));
}

/* length:u8 and that many bytes; a longer text is cut off. */
static inline void put_str(writer_t *to, const char *text) {
    size_t length = strlen(text);
    put_u8(to, (uint8_t)(length < UINT8_MAX ? length : UINT8_MAX));
    put_bytes(to, text, length < UINT8_MAX ? length : UINT8_MAX);
}

#endif

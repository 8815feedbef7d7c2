#include "bytes.h"

uint16_t hil_length(const void *text, uint16_t most) {
    const char *characters = text;
    uint16_t length = 0;
    while (length < most && characters[length] != 0) {
        length++;
    }
    return length;
}

void hil_put_bytes(writer_t *to, const void *data, uint32_t length) {
    if (length > (uint16_t)(to->capacity - to->length)) {
        to->overflow = true;
        return;
    }
    memcpy(to->data + to->length, data, (size_t)length);
    to->length = (uint16_t)(to->length + length);
}

void hil_put_u8(writer_t *to, uint8_t value) {
    hil_put_bytes(to, &value, 1);
}

void hil_put_u16(writer_t *to, uint16_t value) {
    hil_put_u8(to, (uint8_t)value);
    hil_put_u8(to, (uint8_t)(value >> 8));
}

void hil_put_u32(writer_t *to, uint32_t value) {
    hil_put_u16(to, (uint16_t)value);
    hil_put_u16(to, (uint16_t)(value >> 16));
}

void hil_put_str(writer_t *to, const char *text) {
    uint16_t length = hil_length(text, UINT8_MAX);
    hil_put_u8(to, (uint8_t)length);
    hil_put_bytes(to, text, length);
}

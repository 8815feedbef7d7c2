#include "answer.h"

uint8_t hil_refuse(writer_t *response, uint8_t reason, const char *text) {
    uint16_t length = hil_length(text, (uint16_t)(response->capacity - 2));
    response->length = 0;
    hil_put_u8(response, reason);
    hil_put_u8(response, (uint8_t)length);
    hil_put_bytes(response, text, length);
    return MESSAGE_ERROR;
}

#include "answer.h"

uint8_t hil_refuse(writer_t *response, uint8_t reason, const char *text) {
    size_t length = strlen(text);
    uint16_t room = (uint16_t)(response->capacity - 2);
    uint8_t taken = (uint8_t)(length < room ? length : room);
    response->length = 0;
    hil_put_u8(response, reason);
    hil_put_u8(response, taken);
    hil_put_bytes(response, text, taken);
    return MESSAGE_ERROR;
}

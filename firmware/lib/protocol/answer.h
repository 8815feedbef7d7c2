/* What the functions that execute requests share: each returns the type of its response. */
#ifndef ANSWER_H
#define ANSWER_H

#include "bytes.h"
#include "protocol.h"

/* Makes an error response. */
static inline uint8_t refuse(writer_t *response, uint8_t reason, const char *text) {
    response->length = 0;
    put_u8(response, reason);
    put_str(response, text);
    return MESSAGE_ERROR;
}

#endif

/* Shared by the functions that execute requests, each of which returns the type of its response. */
#ifndef ANSWER_H
#define ANSWER_H

#include "bytes.h"
#include "protocol.h"

/* Makes an error response. A text that does not fit is cut off. */
uint8_t hil_refuse(writer_t *response, uint8_t reason, const char *text);

#endif

/* Execute requests. Independent of frames and sequence numbers. */
#ifndef REQUESTS_H
#define REQUESTS_H

#include <stdint.h>

#include "bytes.h"

/* What to do after the response has been sent. */
typedef enum {
    THEN_NOTHING,
    THEN_ECHO,  /* argument: the number of raw bytes */
    THEN_RESET, /* no argument */
    THEN_FAULT, /* argument: a hil_fault_t */
} then_t;

typedef struct {
    then_t action;
    uint32_t argument;
} aftermath_t;

/* Executes one request. Returns the type of the response, whose body is in `response`. */
uint8_t hil_requests_execute(uint8_t type, const uint8_t *body, uint16_t length, writer_t *response,
                             aftermath_t *after);

#endif

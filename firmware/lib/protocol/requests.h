/* What each request does. Nothing here knows of frames or sequence numbers. */
#ifndef REQUESTS_H
#define REQUESTS_H

#include <stdint.h>

#include "bytes.h"

/* What has to happen after the response is on its way. */
typedef enum {
    THEN_NOTHING,
    THEN_ECHO,  /* argument: how many raw bytes */
    THEN_RESET, /* no argument */
    THEN_CRASH, /* argument: a board_crash_t */
} then_t;

typedef struct {
    then_t action;
    uint32_t argument;
} aftermath_t;

/* Prepares the engine and the windowing. Called once. Null, or a line that says why no inference will work. */
const char *requests_init(void);

/* Forgets the rows of the session that was under way. */
void requests_begin_session(void);

/* Counts a frame that was dropped, for STATUS. */
void requests_count_bad_frame(void);

/* Executes one request. Returns the type of the response, whose body is in `response`. */
uint8_t requests_execute(uint8_t type, const uint8_t *body, uint16_t length, writer_t *response, aftermath_t *after);

#endif

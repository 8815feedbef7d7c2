/* Lines that the host sends: `threshold 0.75` and `pretrigger 5`. */
#ifndef COMMAND_H
#define COMMAND_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define THRESHOLD_MOST 1200

/* The longest is `pretrigger 20`, with some spaces. */
#define COMMAND_BYTES 20

typedef struct {
    char line[COMMAND_BYTES];
    uint8_t length; /* COMMAND_BYTES: the line is too long */
} command_t;

typedef enum { COMMAND_GOES_ON, COMMAND_THRESHOLD, COMMAND_PRETRIGGER, COMMAND_WRONG } command_kind_t;

/* Takes the next byte. With the last one of a line it says which command that is, and stores its `value`: hundredths
 * of g, or rows. Empty lines mean nothing. */
command_kind_t command_take(command_t *command, char byte, uint16_t *value);

#ifdef __cplusplus
}
#endif

#endif

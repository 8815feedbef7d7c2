#include "command.h"

#include "trigger.h"

#include <stdbool.h>
#include <string.h>

/* Reads the number that is all of `text`, in units of 10^-`decimals`. */
static bool number(const char *text, uint8_t decimals, uint16_t most, uint16_t *value) {
    uint32_t found = 0;
    uint8_t digits = 0, after_point = 0;
    bool point = false;
    for (; *text != '\0'; text++) {
        if (*text == '.' && !point && decimals > 0) {
            point = true;
        } else if (*text >= '0' && *text <= '9' && after_point < decimals + !point) {
            found = found * 10 + (uint32_t)(*text - '0');
            digits++;
            after_point = (uint8_t)(after_point + point);
        } else {
            return false;
        }
        if (found > most) {
            return false;
        }
    }
    for (; after_point < decimals; after_point++) {
        found *= 10;
    }
    *value = (uint16_t)found;
    return digits > 0 && found <= most;
}

/* The rest of `line` after `name` and spaces; null if it is of another name. */
static const char *after(const char *line, const char *name) {
    size_t length = strlen(name);
    if (strncmp(line, name, length) != 0 || line[length] != ' ') {
        return NULL;
    }
    line += length;
    while (*line == ' ') {
        line++;
    }
    return line;
}

static command_kind_t understand(const char *line, uint16_t *value) {
    const char *rest = after(line, "threshold");
    if (rest != NULL) {
        return number(rest, 2, THRESHOLD_MOST, value) ? COMMAND_THRESHOLD : COMMAND_WRONG;
    }
    rest = after(line, "pretrigger");
    return rest != NULL && number(rest, 0, PRETRIGGER_MOST, value) ? COMMAND_PRETRIGGER : COMMAND_WRONG;
}

command_kind_t command_take(command_t *command, char byte, uint16_t *value) {
    if (byte != '\n' && byte != '\r') {
        if (command->length < COMMAND_BYTES) {
            command->line[command->length++] = byte;
        }
        return COMMAND_GOES_ON;
    }
    uint8_t length = command->length;
    command->length = 0;
    if (length == 0) {
        return COMMAND_GOES_ON;
    }
    if (length == COMMAND_BYTES) {
        return COMMAND_WRONG;
    }
    command->line[length] = '\0';
    return understand(command->line, value);
}

#include "windows.h"

#include "answer.h"
#include "network.h"

#define HEADER_BYTES 5 /* first_window:u32 n:u8 */
#define TICKS_BYTES 8  /* prepare_ticks:u32 invoke_ticks:u32 */

static const char TOO_MUCH[] = "more than a response holds";
static const char ENGINE_FAILED[] = "the engine failed";

static struct {
    uint32_t next;    /* the number of the next window since hil_windows_begin() */
    uint16_t missing; /* the rows until it is complete */
} windows;

void hil_windows_begin(void) {
    const hil_application_t *application = hil_network.application;
    windows.next = 0;
    windows.missing = application->window;
    if (application->window) {
        application->forget_rows();
    }
}

static uint32_t output_bytes(void) {
    uint32_t bytes = 0;
    for (uint8_t i = 0; i < hil_network.output_count; i++) {
        bytes += hil_network.outputs[i].bytes;
    }
    return bytes;
}

static bool run_window(writer_t *response) {
    void (*prepare)(void) = hil_network.application->prepare; /* fetched before it is measured */
    uint32_t ticks;
    hil_measure_begin();
    prepare();
    ticks = hil_measure_end();
    hil_put_u32(response, ticks);
    bool done = hil_network_run(&ticks);
    hil_put_u32(response, ticks);
    for (uint8_t i = 0; i < hil_network.output_count; i++) {
        hil_put_bytes(response, hil_network.outputs[i].data, hil_network.outputs[i].bytes);
    }
    return done;
}

/* The windows that the next `rows` rows complete. */
static unsigned windows_due(unsigned rows) {
    return rows < windows.missing ? 0 : 1 + (rows - windows.missing) / hil_network.application->stride;
}

static void announce(unsigned due, writer_t *response) {
    hil_put_u32(response, windows.next);
    hil_put_u8(response, (uint8_t)due);
}

/* Takes a row, and runs the window that it completes, if any. Returns false if the engine failed. */
static bool take(const uint8_t *row, writer_t *response) {
    hil_network.application->take_row(row);
    if (--windows.missing > 0) {
        return true;
    }
    windows.missing = hil_network.application->stride;
    windows.next++;
    return run_window(response);
}

uint8_t hil_windows_samples(const uint8_t *body, uint16_t length, writer_t *response) {
    const hil_application_t *application = hil_network.application;
    const unsigned row_bytes = 2u * application->channels;
    if (application->window == 0) {
        return hil_refuse(response, ERROR_NOT_AVAILABLE, "this model has no windows: write its inputs");
    }
    unsigned rows = length / row_bytes;
    if (rows * row_bytes != length) {
        return hil_refuse(response, ERROR_MALFORMED, "not a whole number of rows");
    }
    unsigned due = windows_due(rows);
    if (HEADER_BYTES + due * (TICKS_BYTES + output_bytes()) > response->capacity) {
        return hil_refuse(response, ERROR_MALFORMED, TOO_MUCH);
    }
    announce(due, response);
    for (; rows > 0; rows--, body += row_bytes) {
        if (!take(body, response)) {
            return hil_refuse(response, ERROR_ENGINE, ENGINE_FAILED);
        }
    }
    return MESSAGE_SAMPLES | MESSAGE_RESPONSE;
}

uint8_t hil_windows_sense(uint8_t rows, writer_t *response) {
    const hil_application_t *application = hil_network.application;
    const unsigned row_bytes = 2u * application->channels;
    if (application->window == 0 || !application->sense) {
        return hil_refuse(response, ERROR_NOT_AVAILABLE, "this image has no sensor for its model");
    }
    unsigned due = windows_due(rows);
    uint32_t rows_at = HEADER_BYTES + due * (TICKS_BYTES + output_bytes());
    uint32_t end = rows_at + rows * row_bytes;
    if (end > response->capacity) {
        return hil_refuse(response, ERROR_MALFORMED, TOO_MUCH);
    }
    announce(due, response);
    for (uint8_t *row = response->data + rows_at; row < response->data + end; row += row_bytes) {
        const char *problem = application->sense(row);
        if (problem) {
            return hil_refuse(response, ERROR_ENGINE, problem);
        }
        if (!take(row, response)) {
            return hil_refuse(response, ERROR_ENGINE, ENGINE_FAILED);
        }
    }
    response->length = (uint16_t)end;
    return MESSAGE_SENSE | MESSAGE_RESPONSE;
}

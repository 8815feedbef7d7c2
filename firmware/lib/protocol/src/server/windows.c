#include "windows.h"

#include "answer.h"
#include "network.h"

#define TICKS_BYTES 8 /* prepare_ticks:u32 invoke_ticks:u32 */

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
    unsigned due = rows < windows.missing ? 0 : 1 + (rows - windows.missing) / application->stride;
    if (5 + due * (TICKS_BYTES + output_bytes()) > response->capacity) {
        return hil_refuse(response, ERROR_MALFORMED, "more windows than a response holds");
    }
    hil_put_u32(response, windows.next);
    hil_put_u8(response, (uint8_t)due);
    for (; rows > 0; rows--, body += row_bytes) {
        application->take_row(body);
        if (--windows.missing > 0) {
            continue;
        }
        windows.missing = application->stride;
        windows.next++;
        if (!run_window(response)) {
            return hil_refuse(response, ERROR_ENGINE, "the engine failed");
        }
    }
    return MESSAGE_SAMPLES | MESSAGE_RESPONSE;
}

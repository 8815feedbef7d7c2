#include "windows.h"

#include "answer.h"
#include "board.h"
#include "engine.h"
#include "inference.h"
#include "model_config.h"
#include "windowing.h"

#if MODEL_WINDOW > 0

#define ROW_BYTES (MODEL_CHANNELS * sizeof(int16_t))
#define TICKS_BYTES 8 /* prepare_ticks:u32 invoke_ticks:u32 */

static int16_t rows[MODEL_WINDOW * MODEL_CHANNELS];
static windowing_t windowing = {.config = &model_windowing, .rows = rows};

const char *windows_init(void) {
    if (engine_input(0)->bytes != windowing_bytes(&model_windowing, engine_input(0)->type)) {
        return "the input of the network is not window x channels";
    }
    return NULL;
}

void windows_begin(void) {
    windowing_begin(&windowing);
}

static uint32_t output_bytes(void) {
    uint32_t bytes = 0;
    for (uint8_t i = 0; i < engine_output_count(); i++) {
        bytes += engine_output(i)->bytes;
    }
    return bytes;
}

static bool run_window(writer_t *response) {
    uint32_t invoke_ticks;
    board_measure_begin();
#if MODEL_CHANNELS_FIRST
    windowing_prepare_channels_first(&windowing, engine_input(0));
#else
    windowing_prepare(&windowing, engine_input(0));
#endif
    uint32_t prepare_ticks = board_measure_end();
    bool done = inference_run(&invoke_ticks);
    windowing_advance(&windowing);
    put_u32(response, prepare_ticks);
    put_u32(response, invoke_ticks);
    for (uint8_t i = 0; i < engine_output_count(); i++) {
        put_bytes(response, engine_output(i)->data, engine_output(i)->bytes);
    }
    return done;
}

uint8_t windows_samples(const uint8_t *body, uint16_t length, writer_t *response) {
    if (length % ROW_BYTES != 0) {
        return refuse(response, ERROR_MALFORMED, "not a whole number of rows");
    }
    uint32_t due = windowing_due(&windowing, length / ROW_BYTES);
    if (5 + due * (TICKS_BYTES + output_bytes()) > response->capacity) {
        return refuse(response, ERROR_MALFORMED, "more windows than a response holds");
    }
    put_u32(response, windowing.next);
    put_u8(response, (uint8_t)due);
    for (const uint8_t *row = body; row < body + length; row += ROW_BYTES) {
        if (windowing_push(&windowing, row) && !run_window(response)) {
            return refuse(response, ERROR_ENGINE, "the engine failed");
        }
    }
    return MESSAGE_SAMPLES | MESSAGE_RESPONSE;
}

#else

const char *windows_init(void) {
    return NULL;
}

void windows_begin(void) {}

uint8_t windows_samples(const uint8_t *body, uint16_t length, writer_t *response) {
    (void)body;
    (void)length;
    return refuse(response, ERROR_NOT_AVAILABLE, "this model has no windows: write its inputs");
}

#endif

#include "requests.h"

#include "board.h"
#include "engine.h"
#include "model_config.h"
#include "protocol.h"
#include "ring.h"
#include "windowing.h"

#define ROW_BYTES (MODEL_CHANNELS * sizeof(int16_t))
#define TICKS_BYTES 8 /* prepare_ticks:u32 invoke_ticks:u32 */

#ifdef HIL_DEBUG
#define FLAGS 1
#else
#define FLAGS 0
#endif

static int16_t rows[MODEL_WINDOW * MODEL_CHANNELS];
static windowing_t windowing = {.config = &model_windowing, .rows = rows};
static const char *engine_problem; /* nothing but its name and version is asked of an engine that has one */
static uint32_t windows_total, bad_frames;

static uint8_t fail(writer_t *response, uint8_t reason, const char *text) {
    response->length = 0;
    put_u8(response, reason);
    put_str(response, text);
    return MESSAGE_ERROR;
}

static const char *start_engine(void) {
    if (!engine_init()) {
        return "the engine cannot run this model";
    }
    if (engine_input(0)->bytes != windowing_bytes(&model_windowing, engine_input(0)->type)) {
        return "the input of the network is not window x channels";
    }
    return NULL;
}

const char *requests_init(void) {
    engine_problem = start_engine();
    return engine_problem;
}

void requests_begin_session(void) {
    windowing_begin(&windowing);
}

void requests_count_bad_frame(void) {
    bad_frames++;
}

static void put_tensor(writer_t *to, const engine_tensor_t *tensor) {
    uint32_t scale;
    memcpy(&scale, &tensor->scale, sizeof scale);
    put_u8(to, tensor->type);
    put_u8(to, tensor->rank);
    for (uint8_t i = 0; i < tensor->rank; i++) {
        put_u16(to, tensor->dims[i]);
    }
    put_u32(to, scale);
    put_u32(to, (uint32_t)tensor->zero_point);
}

static void hello(const uint8_t *body, writer_t *response) {
    uint8_t inputs = engine_problem ? 0 : engine_input_count();
    uint8_t outputs = engine_problem ? 0 : engine_output_count();
    put_u8(response, PROTOCOL_VERSION);
    put_bytes(response, body + 1, 4); /* the nonce */
    put_u8(response, FLAGS);
    put_u8(response, HIL_CREDITS);
    put_u16(response, PROTOCOL_MAX_BODY);
    put_u8(response, (uint8_t)board_counter());
    put_u32(response, board_clock_hz());
    put_u32(response, board_measure_overhead());
    put_u16(response, MODEL_WINDOW);
    put_u16(response, MODEL_STRIDE);
    put_u8(response, MODEL_CHANNELS);
    put_u32(response, engine_problem ? 0 : engine_arena_bytes());
    put_bytes(response, model_hash, sizeof model_hash);
    put_bytes(response, board_build_id(), BOARD_BUILD_ID_BYTES);
    put_str(response, engine_name());
    put_str(response, engine_version());
    put_str(response, HIL_TARGET);
    put_u8(response, inputs);
    put_u8(response, outputs);
    for (uint8_t i = 0; i < inputs; i++) {
        put_tensor(response, engine_input(i));
    }
    for (uint8_t i = 0; i < outputs; i++) {
        put_tensor(response, engine_output(i));
    }
}

static uint32_t output_bytes(void) {
    uint32_t bytes = 0;
    for (uint8_t i = 0; i < engine_output_count(); i++) {
        bytes += engine_output(i)->bytes;
    }
    return bytes;
}

static bool run_window(writer_t *response) {
    board_measure_begin();
    windowing_prepare(&windowing, engine_input(0));
    uint32_t prepare_ticks = board_measure_end();
    board_measure_begin();
    bool done = engine_invoke();
    uint32_t invoke_ticks = board_measure_end();
    windowing_advance(&windowing);
    put_u32(response, prepare_ticks);
    put_u32(response, invoke_ticks);
    for (uint8_t i = 0; i < engine_output_count(); i++) {
        put_bytes(response, engine_output(i)->data, engine_output(i)->bytes);
    }
    windows_total++;
    return done;
}

static uint8_t samples(const uint8_t *body, uint16_t length, writer_t *response) {
    if (engine_problem) {
        return fail(response, ERROR_ENGINE, engine_problem);
    }
    if (length % ROW_BYTES != 0) {
        return fail(response, ERROR_MALFORMED, "not a whole number of rows");
    }
    uint32_t due = windowing_due(&windowing, length / ROW_BYTES);
    if (5 + due * (TICKS_BYTES + output_bytes()) > response->capacity) {
        return fail(response, ERROR_MALFORMED, "more windows than a response holds");
    }
    put_u32(response, windowing.next);
    put_u8(response, (uint8_t)due);
    for (const uint8_t *row = body; row < body + length; row += ROW_BYTES) {
        if (windowing_push(&windowing, row) && !run_window(response)) {
            return fail(response, ERROR_ENGINE, "the engine failed");
        }
    }
    return MESSAGE_SAMPLES | MESSAGE_RESPONSE;
}

static void status(writer_t *response) {
    put_u32(response, board_stack_peak());
    put_u32(response, board_stack_size());
    put_u32(response, bad_frames);
    put_u32(response, ring_overruns() + board_uart_overruns());
    put_u32(response, windows_total);
}

static uint8_t tensor(const uint8_t *body, writer_t *response) {
    uint32_t offset = get_u32(body + 2);
    uint32_t length = body[6];
    const void *data;
    uint32_t bytes;
    if (engine_problem || !engine_tensor(get_u16(body), &data, &bytes)) {
        return fail(response, ERROR_NOT_AVAILABLE, "this tensor is not kept");
    }
    if (offset > bytes) {
        return fail(response, ERROR_MALFORMED, "beyond the end of the tensor");
    }
    put_u32(response, bytes);
    put_bytes(response, (const uint8_t *)data + offset, length < bytes - offset ? length : bytes - offset);
    return MESSAGE_TENSOR | MESSAGE_RESPONSE;
}

/* Length of the body of each request but SAMPLES, whose length varies. */
static int body_length(uint8_t type) {
    switch (type) {
    case MESSAGE_HELLO:
        return 5;
    case MESSAGE_TENSOR:
        return 7;
    case MESSAGE_ECHO:
        return 4;
    case MESSAGE_FAULT:
        return 1;
    default:
        return 0;
    }
}

uint8_t requests_execute(uint8_t type, const uint8_t *body, uint16_t length, writer_t *response, aftermath_t *after) {
    uint8_t answer = type | MESSAGE_RESPONSE;
    if (type < MESSAGE_HELLO || type > MESSAGE_FAULT) {
        return fail(response, ERROR_UNKNOWN_TYPE, "unknown request");
    }
    if (type != MESSAGE_SAMPLES && length != body_length(type)) {
        return fail(response, ERROR_MALFORMED, "wrong length of the body");
    }
    switch (type) {
    case MESSAGE_HELLO:
        hello(body, response);
        break;
    case MESSAGE_BEGIN:
        windowing_begin(&windowing);
        break;
    case MESSAGE_SAMPLES:
        answer = samples(body, length, response);
        break;
    case MESSAGE_STATUS:
        status(response);
        break;
    case MESSAGE_TENSOR:
        answer = tensor(body, response);
        break;
    case MESSAGE_ECHO:
        *after = (aftermath_t){THEN_ECHO, get_u32(body)};
        break;
    case MESSAGE_RESET:
        *after = (aftermath_t){THEN_RESET, 0};
        break;
    case MESSAGE_FAULT:
        if (body[0] >= BOARD_CRASH_KINDS) {
            return fail(response, ERROR_MALFORMED, "unknown kind of fault");
        }
        *after = (aftermath_t){THEN_CRASH, body[0]};
        break;
    }
    if (response->overflow) {
        return fail(response, ERROR_NOT_AVAILABLE, "the response exceeds a frame");
    }
    return answer;
}

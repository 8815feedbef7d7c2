#include "requests.h"

#include "answer.h"
#include "board.h"
#include "engine.h"
#include "inference.h"
#include "model_config.h"
#include "ring.h"
#include "tensors.h"
#include "windows.h"

#ifdef HIL_DEBUG
#define FLAGS 1
#else
#define FLAGS 0
#endif

static const char *engine_problem; /* nothing but its name and version is asked of an engine that has one */
static uint32_t bad_frames;

static const char *start_engine(void) {
    if (!engine_init()) {
        return "the engine cannot run this model";
    }
    return windows_init();
}

const char *requests_init(void) {
    engine_problem = start_engine();
    return engine_problem;
}

void requests_begin_session(void) {
    windows_begin();
}

void requests_count_bad_frame(void) {
    bad_frames++;
}

static void hello(const uint8_t *body, writer_t *response) {
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
    put_u8(response, engine_problem ? 0 : engine_input_count());
    put_u8(response, engine_problem ? 0 : engine_output_count());
    if (!engine_problem) {
        tensors_describe(0, response);
    }
}

static void status(writer_t *response) {
    put_u32(response, board_stack_peak());
    put_u32(response, board_stack_size());
    put_u32(response, bad_frames);
    put_u32(response, ring_overruns() + board_uart_overruns());
    put_u32(response, inference_count());
}

static bool length_is_right(uint8_t type, uint16_t length) {
    switch (type) {
    case MESSAGE_HELLO:
        return length == 5;
    case MESSAGE_SAMPLES:
        return true; /* depends on the model */
    case MESSAGE_TENSOR:
        return length == 7;
    case MESSAGE_ECHO:
        return length == 4;
    case MESSAGE_FAULT:
        return length == 1;
    case MESSAGE_WRITE:
        return length >= WRITE_HEADER_BYTES;
    case MESSAGE_READ:
        return length == 6;
    case MESSAGE_DESCRIBE:
        return length == 2;
    default:
        return length == 0;
    }
}

static bool needs_engine(uint8_t type) {
    return type == MESSAGE_SAMPLES || type == MESSAGE_TENSOR || type >= MESSAGE_WRITE;
}

uint8_t requests_execute(uint8_t type, const uint8_t *body, uint16_t length, writer_t *response, aftermath_t *after) {
    uint8_t answer = type | MESSAGE_RESPONSE;
    if (type < MESSAGE_HELLO || type > MESSAGE_DESCRIBE) {
        return refuse(response, ERROR_UNKNOWN_TYPE, "unknown request");
    }
    if (!length_is_right(type, length)) {
        return refuse(response, ERROR_MALFORMED, "wrong length of the body");
    }
    if (engine_problem && needs_engine(type)) {
        return refuse(response, ERROR_ENGINE, engine_problem);
    }
    switch (type) {
    case MESSAGE_HELLO:
        hello(body, response);
        break;
    case MESSAGE_BEGIN:
        windows_begin();
        break;
    case MESSAGE_SAMPLES:
        answer = windows_samples(body, length, response);
        break;
    case MESSAGE_STATUS:
        status(response);
        break;
    case MESSAGE_TENSOR:
        answer = tensors_any(body, response);
        break;
    case MESSAGE_ECHO:
        *after = (aftermath_t){THEN_ECHO, get_u32(body)};
        break;
    case MESSAGE_RESET:
        *after = (aftermath_t){THEN_RESET, 0};
        break;
    case MESSAGE_FAULT:
        if (body[0] >= BOARD_CRASH_KINDS) {
            return refuse(response, ERROR_MALFORMED, "unknown kind of fault");
        }
        *after = (aftermath_t){THEN_CRASH, body[0]};
        break;
    case MESSAGE_WRITE:
        answer = tensors_write(body, length, response);
        break;
    case MESSAGE_INVOKE:
        answer = tensors_invoke(response);
        break;
    case MESSAGE_READ:
        answer = tensors_read(body, response);
        break;
    case MESSAGE_DESCRIBE:
        tensors_describe(get_u16(body), response);
        break;
    }
    if (response->overflow) {
        return refuse(response, ERROR_NOT_AVAILABLE, "the response exceeds a frame");
    }
    return answer;
}

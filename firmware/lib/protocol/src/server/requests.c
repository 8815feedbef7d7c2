#include "requests.h"

#include "answer.h"
#include "identity.h"
#include "network.h"
#include "tensors.h"
#include "windows.h"

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
    case MESSAGE_SENSE:
        return length == 1;
    case MESSAGE_WRITE:
        return length >= WRITE_HEADER_BYTES;
    case MESSAGE_READ:
        return length == 6;
    case MESSAGE_DESCRIBE:
    case MESSAGE_STEPS:
        return length == 2;
    default:
        return length == 0;
    }
}

static bool needs_network(uint8_t type) {
    return type == MESSAGE_SAMPLES || type == MESSAGE_TENSOR || type >= MESSAGE_WRITE;
}

static uint8_t fault(uint8_t kind, writer_t *response, aftermath_t *after) {
    if (kind >= HIL_FAULT_KINDS || !hil_network.application->fault) {
        return hil_refuse(response, ERROR_NOT_AVAILABLE, "unknown kind of fault");
    }
    *after = (aftermath_t){THEN_FAULT, kind};
    return MESSAGE_FAULT | MESSAGE_RESPONSE;
}

uint8_t hil_requests_execute(uint8_t type, const uint8_t *body, uint16_t length, writer_t *response,
                             aftermath_t *after) {
    uint8_t answer = type | MESSAGE_RESPONSE;
    const hil_profiler_t *profiler = hil_network.application->profiler;
    if (type < MESSAGE_HELLO || type > (profiler ? MESSAGE_STEPS : MESSAGE_SENSE)) {
        return hil_refuse(response, ERROR_UNKNOWN_TYPE, "unknown request");
    }
    if (!length_is_right(type, length)) {
        return hil_refuse(response, ERROR_MALFORMED, "wrong length of the body");
    }
    if (hil_network.problem && needs_network(type)) {
        return hil_refuse(response, ERROR_ENGINE, hil_network.problem);
    }
    switch (type) {
    case MESSAGE_HELLO:
        hil_identity_hello(body, response);
        hil_tensors_describe(0, response);
        break;
    case MESSAGE_BEGIN:
        hil_windows_begin();
        break;
    case MESSAGE_SAMPLES:
        answer = hil_windows_samples(body, length, response);
        break;
    case MESSAGE_STATUS:
        hil_identity_status(response);
        break;
    case MESSAGE_TENSOR:
        answer = hil_tensors_any(body, response);
        break;
    case MESSAGE_ECHO:
        *after = (aftermath_t){THEN_ECHO, get_u32(body)};
        break;
    case MESSAGE_RESET:
        *after = (aftermath_t){THEN_RESET, 0};
        break;
    case MESSAGE_FAULT:
        answer = fault(body[0], response, after);
        break;
    case MESSAGE_WRITE:
        answer = hil_tensors_write(body, length, response);
        break;
    case MESSAGE_INVOKE:
        answer = hil_tensors_invoke(response);
        break;
    case MESSAGE_READ:
        answer = hil_tensors_read(body, response);
        break;
    case MESSAGE_DESCRIBE:
        hil_tensors_describe(get_u16(body), response);
        break;
    case MESSAGE_SENSE:
        answer = hil_windows_sense(body[0], response);
        break;
    case MESSAGE_PROFILE:
    case MESSAGE_STEPS:
        answer = profiler->execute(type, body, response);
        break;
    }
    if (response->overflow) {
        return hil_refuse(response, ERROR_NOT_AVAILABLE, "the response exceeds a frame");
    }
    return answer;
}

/* Requests that measure the steps of an inference. Only images with a hil_profiler_t contain them. */
#include "network.h"

#include "answer.h"

#define STEP_BYTES 4

/* What the steps from `first` on took, as many as fit. */
static void tell(const hil_steps_t *steps, uint16_t first, writer_t *response) {
    hil_put_u32(response, steps->mark_ticks);
    hil_put_u16(response, steps->count);
    for (uint32_t i = first; i < steps->count && response->capacity - response->length >= STEP_BYTES; i++) {
        hil_put_u32(response, steps->ticks[i]);
    }
}

uint8_t hil_profile(uint8_t type, const uint8_t *body, writer_t *response) {
    const hil_profiler_t *profiler = hil_network.application->profiler;
    if (type == MESSAGE_PROFILE) {
        profiler->start();
    } else {
        tell(profiler->steps(), get_u16(body), response);
    }
    return type | MESSAGE_RESPONSE;
}

/* In a separate file, so that the compiler does not put a description on the stack of other requests. */
#include "identity.h"

#include "calibration.h"
#include "network.h"

#define FLAG_DEBUG 1

static uint32_t bad_frames;

void hil_identity_count_bad_frame(void) {
    bad_frames++;
}

void hil_identity_hello(const uint8_t *body, writer_t *response) {
    const hil_application_t *application = hil_network.application;
    hil_description_t description;
    hil_network_describe(&description);
    hil_put_u8(response, HIL_PROTOCOL_VERSION);
    hil_put_bytes(response, body + 1, 4); /* the nonce */
    hil_put_u8(response, application->tensor ? FLAG_DEBUG : 0);
    hil_put_u8(response, application->credits);
    hil_put_u16(response, application->max_body);
    hil_put_u8(response, description.counter);
    hil_put_u32(response, description.clock_hz);
    hil_measure_begin();
    hil_put_u32(response, hil_measure_end()); /* the ticks of an empty measurement */
    hil_put_u32(response, CALIBRATION_INSTRUCTIONS);
    hil_put_u32(response, hil_calibration_ticks());
    hil_put_u16(response, application->window);
    hil_put_u16(response, application->stride);
    hil_put_u8(response, application->channels);
    hil_put_u32(response, hil_network.problem ? 0 : description.arena_bytes);
    hil_put_bytes(response, description.model_hash, HIL_MODEL_HASH_BYTES);
    hil_put_bytes(response, description.build_id, HIL_BUILD_ID_BYTES);
    hil_put_str(response, description.engine);
    hil_put_str(response, description.engine_version);
    hil_put_str(response, description.target);
    hil_put_u8(response, hil_network.input_count);
    hil_put_u8(response, hil_network.output_count);
}

void hil_identity_status(writer_t *response) {
    hil_description_t description;
    hil_network_describe(&description);
    hil_put_u32(response, description.stack_peak);
    hil_put_u32(response, description.stack_size);
    hil_put_u32(response, bad_frames);
    hil_put_u32(response, description.overruns);
    hil_put_u32(response, hil_network.inferences);
    hil_put_u32(response, description.interrupts);
}

/* The engine interface on top of a network that was compiled ahead of time. */
#include "aot_model.h"

#include <stddef.h>

const char *engine_name(void) {
    return "aot";
}

/*
 * Increase this number if kernels or generated code change what networks need or compute. It is for people only: the
 * harness distinguishes images by the build id, which covers every byte of them.
 */
const char *engine_version(void) {
    return "5";
}

bool engine_init(void) {
    return true;
}

uint8_t engine_input_count(void) {
    return aot_model.input_count;
}

const hil_tensor_t *engine_inputs(void) {
    return aot_model.inputs;
}

uint8_t engine_output_count(void) {
    return aot_model.output_count;
}

const hil_tensor_t *engine_outputs(void) {
    return aot_model.outputs;
}

bool engine_invoke(void) {
    aot_model.run();
    return true;
}

#ifdef HIL_PROFILE
bool engine_invoke_in_steps(void) {
    aot_run_in_steps();
    return true;
}
#endif

uint32_t engine_arena_bytes(void) {
    return aot_model.arena_bytes;
}

bool engine_tensor(uint16_t index, const void **data, uint32_t *bytes) {
    if (index >= aot_model.tensor_count || aot_model.tensors[index].data == NULL) {
        return false;
    }
    *data = aot_model.tensors[index].data;
    *bytes = aot_model.tensors[index].bytes;
    return true;
}

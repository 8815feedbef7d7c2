#include "tensors.h"

#include "answer.h"
#include "engine.h"
#include "inference.h"

/* Of a tensor without dimensions. */
#define DESCRIPTION_BYTES 10

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

void tensors_describe(uint16_t first, writer_t *response) {
    const uint16_t inputs = engine_input_count();
    const uint16_t end = inputs + engine_output_count();
    for (uint16_t i = first; i < end; i++) {
        const engine_tensor_t *tensor = i < inputs ? engine_input((uint8_t)i) : engine_output((uint8_t)(i - inputs));
        if (response->capacity - response->length < DESCRIPTION_BYTES + 2 * tensor->rank) {
            break;
        }
        put_tensor(response, tensor);
    }
}

uint8_t tensors_write(const uint8_t *body, uint16_t length, writer_t *response) {
    uint32_t offset = get_u32(body + 1);
    uint32_t count = (uint32_t)length - WRITE_HEADER_BYTES;
    if (body[0] >= engine_input_count()) {
        return refuse(response, ERROR_MALFORMED, "no such input");
    }
    const engine_tensor_t *input = engine_input(body[0]);
    if (offset > input->bytes || count > input->bytes - offset) {
        return refuse(response, ERROR_MALFORMED, "beyond the end of the tensor");
    }
    memcpy((uint8_t *)input->data + offset, body + WRITE_HEADER_BYTES, count);
    return MESSAGE_WRITE | MESSAGE_RESPONSE;
}

uint8_t tensors_invoke(writer_t *response) {
    uint32_t ticks;
    if (!inference_run(&ticks)) {
        return refuse(response, ERROR_ENGINE, "the engine failed");
    }
    put_u32(response, ticks);
    return MESSAGE_INVOKE | MESSAGE_RESPONSE;
}

/* `bytes`:u32 and the part of `data` that was asked for: `range` is offset:u32 length:u8. */
static uint8_t put_part(writer_t *response, uint8_t type, const void *data, uint32_t bytes, const uint8_t *range) {
    uint32_t offset = get_u32(range);
    uint32_t length = range[4];
    if (offset > bytes) {
        return refuse(response, ERROR_MALFORMED, "beyond the end of the tensor");
    }
    put_u32(response, bytes);
    put_bytes(response, (const uint8_t *)data + offset, length < bytes - offset ? length : bytes - offset);
    return type | MESSAGE_RESPONSE;
}

uint8_t tensors_read(const uint8_t *body, writer_t *response) {
    if (body[0] >= engine_output_count()) {
        return refuse(response, ERROR_MALFORMED, "no such output");
    }
    const engine_tensor_t *output = engine_output(body[0]);
    return put_part(response, MESSAGE_READ, output->data, output->bytes, body + 1);
}

uint8_t tensors_any(const uint8_t *body, writer_t *response) {
    const void *data;
    uint32_t bytes;
    if (!engine_tensor(get_u16(body), &data, &bytes)) {
        return refuse(response, ERROR_NOT_AVAILABLE, "this tensor is not kept");
    }
    return put_part(response, MESSAGE_TENSOR, data, bytes, body + 2);
}

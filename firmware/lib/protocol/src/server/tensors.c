#include "tensors.h"

#include "answer.h"
#include "network.h"

/* The size of the description of a tensor without dimensions. */
#define DESCRIPTION_BYTES 10

static void put_tensor(writer_t *to, const hil_tensor_t *tensor) {
    uint32_t scale;
    memcpy(&scale, &tensor->scale, sizeof scale);
    hil_put_u8(to, tensor->type);
    hil_put_u8(to, tensor->rank);
    for (uint8_t i = 0; i < tensor->rank; i++) {
        hil_put_u16(to, tensor->dims[i]);
    }
    hil_put_u32(to, scale);
    hil_put_u32(to, (uint32_t)tensor->zero_point);
}

void hil_tensors_describe(uint16_t first, writer_t *response) {
    const uint16_t inputs = hil_network.input_count;
    const uint16_t end = (uint16_t)(inputs + hil_network.output_count);
    for (uint16_t i = first; i < end; i++) {
        const hil_tensor_t *tensor = i < inputs ? &hil_network.inputs[i] : &hil_network.outputs[i - inputs];
        if ((uint16_t)(response->capacity - response->length) < DESCRIPTION_BYTES + 2u * tensor->rank) {
            break;
        }
        put_tensor(response, tensor);
    }
}

uint8_t hil_tensors_write(const uint8_t *body, uint16_t length, writer_t *response) {
    uint32_t offset = get_u32(body + 1);
    uint32_t count = (uint32_t)length - WRITE_HEADER_BYTES;
    if (body[0] >= hil_network.input_count) {
        return hil_refuse(response, ERROR_MALFORMED, "no such input");
    }
    const hil_tensor_t *input = &hil_network.inputs[body[0]];
    if (offset > input->bytes || count > input->bytes - offset) {
        return hil_refuse(response, ERROR_MALFORMED, "beyond the end of the tensor");
    }
    memcpy((uint8_t *)input->data + offset, body + WRITE_HEADER_BYTES, (size_t)count);
    return MESSAGE_WRITE | MESSAGE_RESPONSE;
}

uint8_t hil_tensors_invoke(writer_t *response) {
    uint32_t ticks;
    if (!hil_network_run(&ticks)) {
        return hil_refuse(response, ERROR_ENGINE, "the engine failed");
    }
    hil_put_u32(response, ticks);
    return MESSAGE_INVOKE | MESSAGE_RESPONSE;
}

/* Appends `bytes`:u32 and the requested part of `data`; `range` is offset:u32 length:u8. */
static uint8_t put_part(writer_t *response, uint8_t type, const void *data, uint32_t bytes, const uint8_t *range) {
    uint32_t offset = get_u32(range);
    uint32_t length = range[4];
    if (offset > bytes) {
        return hil_refuse(response, ERROR_MALFORMED, "beyond the end of the tensor");
    }
    hil_put_u32(response, bytes);
    hil_put_bytes(response, (const uint8_t *)data + offset, length < bytes - offset ? length : bytes - offset);
    return type | MESSAGE_RESPONSE;
}

uint8_t hil_tensors_read(const uint8_t *body, writer_t *response) {
    if (body[0] >= hil_network.output_count) {
        return hil_refuse(response, ERROR_MALFORMED, "no such output");
    }
    const hil_tensor_t *output = &hil_network.outputs[body[0]];
    return put_part(response, MESSAGE_READ, output->data, output->bytes, body + 1);
}

uint8_t hil_tensors_any(const uint8_t *body, writer_t *response) {
    const void *data;
    uint32_t bytes;
    bool (*tensor)(uint16_t, const void **, uint32_t *) = hil_network.application->tensor;
    if (!tensor || !tensor(get_u16(body), &data, &bytes)) {
        return hil_refuse(response, ERROR_NOT_AVAILABLE, "this tensor is not kept");
    }
    return put_part(response, MESSAGE_TENSOR, data, bytes, body + 2);
}

/* Requests that write tensors, run the network and read tensors. */
#ifndef TENSORS_H
#define TENSORS_H

#include <stdint.h>

#include "bytes.h"

/* The length of the body of WRITE without its data. */
#define WRITE_HEADER_BYTES 5

/*
 * Describes the tensors from `first` on, inputs before outputs, as many as fit.
 */
void hil_tensors_describe(uint16_t first, writer_t *response);

/* WRITE, INVOKE, READ and TENSOR. Each returns the type of its response. */
uint8_t hil_tensors_write(const uint8_t *body, uint16_t length, writer_t *response);
uint8_t hil_tensors_invoke(writer_t *response);
uint8_t hil_tensors_read(const uint8_t *body, writer_t *response);
uint8_t hil_tensors_any(const uint8_t *body, writer_t *response);

#endif

#include "rtt.h"

#include <stdatomic.h>
#include <string.h>

/* The first of the buffers of the link, which footprints leave out. */
__attribute__((section(".bss.link_buffers.rtt"))) rtt_t _SEGGER_RTT;
extern rtt_t hil_rtt __attribute__((alias("_SEGGER_RTT")));

/* Keeps the order of what the host sees: contents first, then what says that they are there. */
static void barrier(void) {
    atomic_thread_fence(memory_order_seq_cst);
}

void rtt_set_up(rtt_ring_t *ring, uint8_t *buffer, uint32_t size) {
    ring->name = "tflm-hil";
    ring->buffer = buffer;
    ring->size = size;
}

void rtt_publish(void) {
    _SEGGER_RTT.up_count = 1;
    _SEGGER_RTT.down_count = 1;
    barrier();
    memcpy(_SEGGER_RTT.id, "SEGGER RTT", 10);
}

static uint32_t after(const rtt_ring_t *ring, uint32_t offset) {
    return offset + 1 < ring->size ? offset + 1 : 0;
}

bool rtt_put(rtt_ring_t *ring, uint8_t byte) {
    uint32_t at = ring->write, next = after(ring, at);
    if (next == ring->read) {
        return false;
    }
    ring->buffer[at] = byte;
    barrier();
    ring->write = next;
    return true;
}

bool rtt_get(rtt_ring_t *ring, uint8_t *byte) {
    uint32_t at = ring->read;
    if (at == ring->write) {
        return false;
    }
    barrier();
    *byte = ring->buffer[at];
    barrier();
    ring->read = after(ring, at);
    return true;
}

/*
 * Rings of bytes in RAM, and the control block by which a debug probe or an emulator finds them. It reads the one and
 * writes the other while the core runs. The layout is that of SEGGER's Real Time Transfer (J-Link User Guide, UM08001,
 * chapter RTT), so that J-Link, OpenOCD, pyOCD and probe-rs can serve it.
 *
 * A ring has one writer and one reader and needs no lock: only the writer changes `write`, and only the reader `read`.
 * Both are less than `size`. A ring whose offsets are equal is empty, so it holds at most size - 1 bytes.
 */
#ifndef RTT_H
#define RTT_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* In the flags of the ring from the host, where SEGGER's tools use the lowest two bits: the host wakes the core when it
 * has written, so the core may sleep. */
#define RTT_FLAG_WAKES (1u << 8)

typedef struct {
    const char *name;
    uint8_t *buffer;
    uint32_t size;
    volatile uint32_t write, read;
    volatile uint32_t flags;
} rtt_ring_t;

typedef struct {
    char id[16];
    uint32_t up_count, down_count;
    rtt_ring_t up;   /* to the host */
    rtt_ring_t down; /* from the host */
} rtt_t;

/* The control block, under the name by which tools find it, and under one that says that it carries our protocol. */
extern rtt_t _SEGGER_RTT, hil_rtt;

/* Gives a ring that is all 0 its buffer. */
void rtt_set_up(rtt_ring_t *ring, uint8_t *buffer, uint32_t size);

/* Lets hosts find the control block. Set up both of its rings before. */
void rtt_publish(void);

/* Appends a byte; returns false if the ring is full. */
bool rtt_put(rtt_ring_t *ring, uint8_t byte);

/* Takes the oldest byte; returns false if the ring is empty. */
bool rtt_get(rtt_ring_t *ring, uint8_t *byte);

static inline bool rtt_is_empty(const rtt_ring_t *ring) {
    return ring->write == ring->read;
}

#ifdef __cplusplus
}
#endif

#endif

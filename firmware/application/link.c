#include "link.h"

#include "board.h"
#include "rtt.h"
#include "tflm_hil.h"

/* The frames of all credits, in one direction. */
#define FRAMES_BYTES (HIL_CREDITS * HIL_FRAME_BYTES(HIL_MOST_BODY))
/* Nothing tells a host how much room there is, and it may repeat requests before the first ones have been read. */
#define UART_BYTES (2 * FRAMES_BYTES + 1)

/* Iterations to wait for a host, which may look only some times a second: seconds on every chip. */
#define PATIENCE F_CPU

enum { BOTH, UART, RTT };

LINK_BUFFER static uint8_t received[UART_BYTES], to_host[FRAMES_BYTES + 1], from_host[FRAMES_BYTES];

LINK_BUFFER static struct {
    rtt_ring_t uart; /* what the UART has received */
    volatile uint32_t overruns;
    uint8_t in_use;
    uint8_t source; /* of the byte that is being handled */
} state;

void link_open(void) {
    rtt_set_up(&state.uart, received, sizeof received);
    rtt_set_up(&_SEGGER_RTT.up, to_host, sizeof to_host);
    rtt_set_up(&_SEGGER_RTT.down, from_host, sizeof from_host);
    rtt_publish();
}

void board_on_receive(uint8_t byte) {
    if (!rtt_put(&state.uart, byte)) {
        state.overruns++;
    }
}

uint32_t link_overruns(void) {
    return state.overruns;
}

void link_choose(void) {
    state.in_use = state.source;
}

/* A ring has room for the answers to all credits. What does not fit, because no host reads, is lost. */
void hil_write(const uint8_t *data, uint16_t length) {
    if (state.in_use != RTT) {
        board_uart_write(data, length);
    }
    if (state.in_use != UART) {
        while (length-- > 0 && rtt_put(&_SEGGER_RTT.up, *data++)) {
        }
    }
}

void link_flush(void) {
    board_uart_flush();
    for (uint32_t i = 0; i < PATIENCE && state.in_use == RTT && !rtt_is_empty(&_SEGGER_RTT.up); i++) {
    }
}

/* Where the host wakes the core, it does so with bytes of the UART, which mean nothing else then. */
static bool host_wakes(void) {
    return _SEGGER_RTT.down.flags & RTT_FLAG_WAKES;
}

static bool take(rtt_ring_t *ring, uint8_t source) {
    uint8_t byte;
    if (!rtt_get(ring, &byte)) {
        return false;
    }
    if (source == RTT || !host_wakes()) {
        state.source = source;
        hil_receive(byte);
    }
    return true;
}

static bool is_idle(void) {
    return rtt_is_empty(&state.uart) && rtt_is_empty(&_SEGGER_RTT.down) && (state.in_use == UART || host_wakes());
}

void link_poll(void) {
    while (take(&state.uart, UART) || take(&_SEGGER_RTT.down, RTT)) {
    }
    board_sleep_while(is_idle);
}

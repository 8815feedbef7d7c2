#include "ring.h"

#include "board.h"

_Static_assert((RING_BYTES & (RING_BYTES - 1)) == 0,
               "HIL_CREDITS must be a power of two, because free-running positions wrap");

UART_BUFFER static uint8_t received[RING_BYTES];
static volatile uint32_t written, consumed;
static volatile uint32_t overruns;

void board_on_receive(uint8_t byte) {
    if (written - consumed == RING_BYTES) {
        overruns++;
        return;
    }
    received[written % RING_BYTES] = byte;
    written++;
}

bool ring_is_empty(void) {
    return written == consumed;
}

bool ring_read(uint8_t *byte) {
    if (ring_is_empty()) {
        return false;
    }
    *byte = received[consumed % RING_BYTES];
    consumed++;
    return true;
}

uint32_t ring_overruns(void) {
    return overruns;
}

/* Runs a neural network on the sensor rows that a host sends, and answers with its outputs; see docs/protocol.md. */
#include "application.h"
#include "board.h"
#include "link.h"

int main() {
    link_open();
    board_init();
    application_start();
    for (;;) {
        link_poll();
    }
}

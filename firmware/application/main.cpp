/* Streams sensor rows through a neural network and reports what it answers: see docs/protocol.md. */
#include "application.h"
#include "board.h"

int main() {
    board_init();
    application_start();
    for (;;) {
        application_poll();
    }
}

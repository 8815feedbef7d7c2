/* Streams sensor rows through a neural network and reports what it answers: see docs/protocol.md. */
#include "board.h"
#include "server.h"

int main() {
    board_init();
    server_start();
    for (;;) {
        server_poll();
    }
}

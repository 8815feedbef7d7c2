#include "inference.h"

#include "board.h"
#include "engine.h"

static uint32_t count;

bool inference_run(uint32_t *ticks) {
    board_measure_begin();
    bool done = engine_invoke();
    *ticks = board_measure_end();
    count++;
    return done;
}

uint32_t inference_count(void) {
    return count;
}

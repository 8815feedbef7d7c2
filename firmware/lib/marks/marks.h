/* Measures the steps of one inference. The engine marks where each of them begins and ends. */
#ifndef MARKS_H
#define MARKS_H

#include "tflm_hil.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Forgets all steps, and measures what a mark takes. `ticks` is where the ticks of at most `most` steps go. Call it
 * while nothing is measured. */
void marks_start(uint32_t *ticks, uint16_t most);

/* What the steps since then took. */
const hil_steps_t *marks_steps(void);

/* Called by the engine while the inference is measured. */
void step_begin(void);
void step_end(void);

#ifdef __cplusplus
}
#endif

#endif

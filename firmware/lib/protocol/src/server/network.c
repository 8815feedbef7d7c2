#include "network.h"

#include <string.h>

hil_network_t hil_network;

void hil_network_describe(hil_description_t *description) {
    memset(description, 0, sizeof *description);
    hil_network.application->describe(description);
}

void hil_network_start(const hil_application_t *application) {
    hil_description_t description;
    hil_network.application = application;
    hil_network.problem = application->start ? application->start() : NULL;
    hil_network.input_count = 0;
    hil_network.output_count = 0;
    if (hil_network.problem) {
        return;
    }
    hil_network_describe(&description);
    hil_network.inputs = description.inputs;
    hil_network.outputs = description.outputs;
    hil_network.input_count = description.input_count;
    hil_network.output_count = description.output_count;
}

bool hil_network_run(uint32_t *ticks) {
    bool (*invoke)(void) = hil_network.application->invoke; /* fetched before it is measured */
    hil_measure_begin();
    bool done = invoke();
    *ticks = hil_measure_end();
    hil_network.inferences++;
    return done;
}

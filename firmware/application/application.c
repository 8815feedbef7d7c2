#include "application.h"

#include "board.h"
#include "engine.h"
#include "link.h"
#ifdef HIL_PROFILE
#include "marks.h"
#endif
#include "model_config.h"
#include "tflm_hil.h"
#include "windowing.h"
#ifdef BOARD_SENSOR_ADDRESS
#include "sensor.h"
#endif

#include <stddef.h>
#include <string.h>

LINK_BUFFER static uint8_t buffer[HIL_BUFFER_BYTES(HIL_MOST_BODY, HIL_CREDITS)];

#if MODEL_WINDOW > 0

static int16_t rows[MODEL_WINDOW * MODEL_CHANNELS];
static windowing_t windowing = {.config = &model_windowing, .rows = rows};

#if defined BOARD_SENSOR_ADDRESS && MODEL_CHANNELS == SENSOR_CHANNELS

static struct {
    bool is_started; /* for the present recording */
    const char *problem;
} sensor;

static const char *sense(uint8_t *row) {
    if (!sensor.is_started) {
        sensor.is_started = true;
        sensor.problem = sensor_start();
    }
    if (!sensor.problem) {
        sensor.problem = sensor_next(row);
    }
    return sensor.problem;
}

static void forget_rows(void) {
    windowing.oldest = 0;
    sensor.is_started = false;
}

#define SENSOR .sense = sense,

#else

static void forget_rows(void) {
    windowing.oldest = 0;
}

#define SENSOR

#endif

static void take_row(const uint8_t *row) {
    windowing_push(&windowing, row);
}

static void prepare(void) {
#if MODEL_CHANNELS_FIRST
    windowing_prepare_channels_first(&windowing, engine_inputs());
#else
    windowing_prepare(&windowing, engine_inputs());
#endif
}

static const char *check_input(void) {
    if (engine_inputs()->bytes != windowing_bytes(&model_windowing, engine_inputs()->type)) {
        return "the input of the network is not window x channels";
    }
    return NULL;
}

#define WINDOWS .forget_rows = forget_rows, .take_row = take_row, .prepare = prepare, SENSOR

#else

static const char *check_input(void) {
    return NULL;
}

#define WINDOWS

#endif

static void describe(hil_description_t *description) {
    link_choose();
    description->engine = engine_name();
    description->engine_version = engine_version();
    description->target = HIL_TARGET;
    memcpy(description->model_hash, model_hash, sizeof description->model_hash);
    memcpy(description->build_id, board_build_id(), sizeof description->build_id);
    description->inputs = engine_inputs();
    description->outputs = engine_outputs();
    description->input_count = engine_input_count();
    description->output_count = engine_output_count();
    description->arena_bytes = engine_arena_bytes();
    description->counter = (uint8_t)board_counter();
    description->clock_hz = board_clock_hz();
    description->stack_size = board_stack_size();
    description->stack_peak = board_stack_peak();
    description->overruns = link_overruns() + board_uart_overruns();
    description->interrupts = board_measure_interrupts();
}

static const char *start(void) {
    return engine_init() ? check_input() : "the engine cannot run this model";
}

static void fault(hil_fault_t kind) {
    link_flush();
    board_crash((board_crash_t)kind);
}

#ifdef HIL_PROFILE

static uint32_t step_ticks[MODEL_STEPS];

static void profile(void);

static const hil_profiler_t profiler = {.execute = hil_profile, .start = profile, .steps = marks_steps};

#define APPLICATION hil_application_t
#define PROFILER .profiler = &profiler,

#else

#define APPLICATION const hil_application_t
#define PROFILER

#endif

static APPLICATION application = {
    .buffer = buffer,
    .max_body = HIL_MOST_BODY,
    .credits = HIL_CREDITS,
    .describe = describe,
    .start = start,
    .invoke = engine_invoke,
    .window = MODEL_WINDOW,
    .stride = MODEL_STRIDE,
    .channels = MODEL_CHANNELS,
    WINDOWS PROFILER
#ifdef HIL_DEBUG
        .tensor = engine_tensor,
#endif
    .fault = fault,
};

#ifdef HIL_PROFILE

/* All other inferences run the very code of an image without marks. */
static bool invoke_in_steps(void) {
    application.invoke = engine_invoke;
    return engine_invoke_in_steps();
}

static void profile(void) {
    marks_start(step_ticks, MODEL_STEPS);
    application.invoke = invoke_in_steps;
}

#endif

void hil_measure_begin(void) {
    board_measure_begin();
}

uint32_t hil_measure_end(void) {
    return board_measure_end();
}

void hil_reset(void) {
    link_flush();
    board_reset();
}

void board_on_fault(const board_fault_t *fault) {
    uint32_t registers[HIL_REGISTERS] = {
        [HIL_PC] = fault->pc,     [HIL_LR] = fault->lr,       [HIL_PSR] = fault->psr,   [HIL_CFSR] = fault->cfsr,
        [HIL_HFSR] = fault->hfsr, [HIL_MMFAR] = fault->mmfar, [HIL_BFAR] = fault->bfar, [HIL_SP] = fault->sp,
    };
    memcpy(registers + HIL_R4, fault->r4_to_r11, sizeof fault->r4_to_r11);
    hil_crash(fault->kind, registers, fault->stack, fault->stack_bytes);
    link_flush();
}

void application_start(void) {
    hil_start(&application, (hil_reset_cause_t)board_reset_cause());
}

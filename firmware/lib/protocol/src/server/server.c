/*
 * Accepts requests in the order of their sequence numbers, executes each once, and keeps the last responses to answer
 * repeated requests without executing them again.
 */
#include "frame.h"
#include "identity.h"
#include "network.h"
#include "requests.h"
#include "windows.h"

#define BOOT_BODY 2
#define NAK_BODY 3
#define CRASH_BODY (1 + 4 * HIL_REGISTERS)
#define STACK_PART 128 /* bytes of the stack in one message */
#define STACK_BODY (6 + STACK_PART)

static frame_decoder_t decoder;
static uint16_t expected;
static bool gap_reported;
static uint16_t beyond_gap; /* the last request that arrived beyond the gap */
static uint32_t echo_left;

/*
 * The memory for the frame of the response to request `seq`. There are as many slots as credits, so they hold the
 * responses to the last `credits` requests. An empty slot begins with a zero, the byte that ends every frame.
 */
static uint8_t *slot_of(uint16_t seq) {
    const hil_application_t *application = hil_network.application;
    uint32_t slot = seq & (application->credits - 1u);
    return application->buffer + PACKET_BYTES(application->max_body) +
           slot * FRAME_BYTES((uint32_t)application->max_body);
}

/* Sends a message that is not a response. Its body of `length` bytes is at FRAME_BODY_OFFSET of `frame`. */
static void notify(uint8_t type, uint8_t *frame, uint16_t length) {
    hil_write(frame, hil_frame_encode(frame, type, 0, length));
}

/* Ends a frame that may have been sent only in part. */
static void cut_off(void) {
    const uint8_t delimiter = 0;
    hil_write(&delimiter, 1);
}

static void nak(uint8_t reason) {
    uint8_t frame[FRAME_BYTES(NAK_BODY)];
    writer_t body = {.data = frame + FRAME_BODY_OFFSET, .capacity = NAK_BODY};
    hil_put_u16(&body, expected);
    hil_put_u8(&body, reason);
    notify(MESSAGE_NAK, frame, body.length);
}

void hil_log(const char *text) {
    uint8_t frame[FRAME_BYTES(HIL_LOG_BYTES)];
    uint16_t length = hil_length(text, HIL_LOG_BYTES);
    memcpy(frame + FRAME_BODY_OFFSET, text, length);
    notify(MESSAGE_LOG, frame, length);
}

void hil_crash(uint8_t kind, const uint32_t registers[HIL_REGISTERS], const uint32_t *stack, uint32_t bytes) {
    uint8_t frame[FRAME_BYTES(STACK_BODY)];
    writer_t body = {.data = frame + FRAME_BODY_OFFSET, .capacity = STACK_BODY};
    cut_off();
    hil_put_u8(&body, kind);
    for (uint8_t i = 0; i < HIL_REGISTERS; i++) {
        hil_put_u32(&body, registers[i]);
    }
    notify(MESSAGE_CRASH, frame, body.length);
    bytes = bytes < HIL_STACK_BYTES ? bytes : HIL_STACK_BYTES;
    do {
        uint32_t part = bytes < STACK_PART ? bytes : STACK_PART;
        bytes -= part;
        body.length = 0;
        hil_put_u32(&body, (uint32_t)(uintptr_t)stack);
        hil_put_u16(&body, (uint16_t)bytes);
        hil_put_bytes(&body, stack, part);
        notify(MESSAGE_STACK, frame, body.length);
        stack += part / 4;
    } while (bytes > 0);
}

static void begin_session(void) {
    for (uint16_t seq = 0; seq < hil_network.application->credits; seq++) {
        *slot_of(seq) = 0;
    }
    expected = 1;
    gap_reported = false;
    hil_windows_begin();
}

void hil_start(const hil_application_t *application, hil_reset_cause_t cause) {
    uint8_t frame[FRAME_BYTES(BOOT_BODY)];
    writer_t body = {.data = frame + FRAME_BODY_OFFSET, .capacity = BOOT_BODY};
    cut_off();
    hil_put_u8(&body, HIL_PROTOCOL_VERSION);
    hil_put_u8(&body, (uint8_t)cause);
    notify(MESSAGE_BOOT, frame, body.length);
    hil_network_start(application);
    if (hil_network.problem) {
        hil_log(hil_network.problem);
    }
    decoder = (frame_decoder_t){.packet = application->buffer, .capacity = PACKET_BYTES(application->max_body)};
    begin_session();
}

static void follow_up(const aftermath_t *after) {
    switch (after->action) {
    case THEN_ECHO:
        echo_left = after->argument;
        break;
    case THEN_RESET:
        hil_reset();
        break;
    case THEN_FAULT:
        hil_network.application->fault((hil_fault_t)after->argument);
        break;
    case THEN_NOTHING:
        break;
    }
}

/* Executes the request that the decoder holds. */
static void execute(void) {
    uint16_t seq = hil_frame_seq(&decoder);
    uint16_t length;
    const uint8_t *body = hil_frame_body(&decoder, &length);
    uint8_t *frame = slot_of(seq);
    writer_t response = {.data = frame + FRAME_BODY_OFFSET, .capacity = hil_network.application->max_body};
    aftermath_t after = {.action = THEN_NOTHING};
    uint8_t answer = hil_requests_execute(hil_frame_type(&decoder), body, length, &response, &after);
    hil_write(frame, hil_frame_encode(frame, answer, seq, response.length));
    follow_up(&after);
}

static void answer_again(uint16_t seq) {
    const uint8_t *frame = slot_of(seq);
    if ((uint16_t)(expected - seq) <= hil_network.application->credits && frame[0] != 0) {
        hil_write(frame, (uint16_t)(hil_length(frame, UINT16_MAX) + 1));
    }
}

static void accept(void) {
    uint16_t seq = hil_frame_seq(&decoder);
    int16_t ahead = (int16_t)(seq - expected);
    if (hil_frame_type(&decoder) == MESSAGE_HELLO) {
        begin_session();
        execute();
        *slot_of(seq) = 0; /* a repeated HELLO begins a new session */
    } else if (ahead < 0) {
        answer_again(seq);
    } else if (ahead > 0) {
        /* If the numbers do not rise, the host has tried again and the expected request was lost once more. */
        if (!gap_reported || (int16_t)(seq - beyond_gap) <= 0) {
            nak(NAK_GAP);
        }
        gap_reported = true;
        beyond_gap = seq;
    } else {
        gap_reported = false;
        expected++;
        execute();
    }
}

void hil_receive(uint8_t byte) {
    if (echo_left > 0) {
        echo_left--;
        hil_write(&byte, 1);
        return;
    }
    switch (hil_frame_decode(&decoder, byte)) {
    case FRAME_COMPLETE:
        accept();
        break;
    case FRAME_CORRUPT:
        hil_identity_count_bad_frame();
        nak(NAK_CORRUPT);
        break;
    case FRAME_INCOMPLETE:
        break;
    }
}

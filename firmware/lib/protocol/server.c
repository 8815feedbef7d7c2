#include "server.h"

#include "board.h"
#include "frame.h"
#include "requests.h"
#include "ring.h"

_Static_assert(PROTOCOL_MAX_PACKET <= 254, "frame_encode() stuffs one block");
_Static_assert(65536 % HIL_CREDITS == 0, "the slots of sequence numbers go round with them");

UART_BUFFER static uint8_t packet[PROTOCOL_MAX_PACKET];
UART_BUFFER static uint8_t reply_frames[HIL_CREDITS][PROTOCOL_MAX_FRAME];

static frame_decoder_t decoder = {.packet = packet};
static uint8_t reply_lengths[HIL_CREDITS]; /* of the frame, less one, which fits into a byte; 0: no response kept */
static uint16_t expected = 1;
static bool gap_reported;
static uint16_t beyond_gap; /* the last request that came beyond the gap */
static uint32_t echo_left;

/* Sends a message that nobody asked for. Its body of `length` bytes is at FRAME_BODY_OFFSET of `frame`. */
static void notify(uint8_t type, uint8_t *frame, uint16_t length) {
    board_uart_write(frame, frame_encode(frame, type, 0, length));
}

static void nak(uint8_t reason) {
    uint8_t frame[FRAME_BYTES(3)];
    writer_t body = {.data = frame + FRAME_BODY_OFFSET, .capacity = 3};
    put_u16(&body, expected);
    put_u8(&body, reason);
    notify(MESSAGE_NAK, frame, body.length);
}

void server_log(const char *text) {
    uint8_t frame[PROTOCOL_MAX_FRAME];
    size_t length = strlen(text);
    length = length < PROTOCOL_MAX_BODY ? length : PROTOCOL_MAX_BODY;
    memcpy(frame + FRAME_BODY_OFFSET, text, length);
    notify(MESSAGE_LOG, frame, (uint16_t)length);
}

void server_start(void) {
    uint8_t frame[FRAME_BYTES(2)];
    const uint8_t delimiter = 0; /* cuts off what was being sent when the board was reset */
    board_uart_write(&delimiter, 1);
    writer_t body = {.data = frame + FRAME_BODY_OFFSET, .capacity = 2};
    put_u8(&body, PROTOCOL_VERSION);
    put_u8(&body, (uint8_t)board_reset_cause());
    notify(MESSAGE_BOOT, frame, body.length);
    const char *problem = requests_init();
    if (problem) {
        server_log(problem);
    }
}

void board_on_fault(const board_fault_t *fault) {
    uint8_t frame[FRAME_BYTES(33)];
    const uint8_t delimiter = 0;
    board_uart_write(&delimiter, 1);
    writer_t body = {.data = frame + FRAME_BODY_OFFSET, .capacity = 33};
    const uint32_t registers[] = {fault->pc,   fault->lr,    fault->psr,  fault->cfsr,
                                  fault->hfsr, fault->mmfar, fault->bfar, fault->sp};
    put_u8(&body, fault->kind);
    for (uint32_t i = 0; i < sizeof registers / sizeof registers[0]; i++) {
        put_u32(&body, registers[i]);
    }
    notify(MESSAGE_CRASH, frame, body.length);
    board_uart_flush();
}

static void follow_up(const aftermath_t *after) {
    switch (after->action) {
    case THEN_ECHO:
        echo_left = after->argument;
        break;
    case THEN_RESET:
        board_uart_flush();
        board_reset();
        break;
    case THEN_CRASH:
        board_uart_flush();
        board_crash((board_crash_t)after->argument);
        break;
    case THEN_NOTHING:
        break;
    }
}

static void execute(uint8_t type, uint16_t seq, const uint8_t *body, uint16_t length) {
    uint32_t slot = seq % HIL_CREDITS;
    uint8_t *frame = reply_frames[slot];
    writer_t response = {.data = frame + FRAME_BODY_OFFSET, .capacity = PROTOCOL_MAX_BODY};
    aftermath_t after = {.action = THEN_NOTHING};
    uint8_t answer = requests_execute(type, body, length, &response, &after);
    uint16_t frame_length = frame_encode(frame, answer, seq, response.length);
    reply_lengths[slot] = (uint8_t)(frame_length - 1);
    board_uart_write(frame, frame_length);
    follow_up(&after);
}

static void begin_session(void) {
    memset(reply_lengths, 0, sizeof reply_lengths);
    expected = 1;
    gap_reported = false;
    requests_begin_session();
}

/* Requests are executed in order, so the slot of one of the last HIL_CREDITS holds the response to it. */
static void answer_again(uint16_t seq) {
    uint32_t slot = seq % HIL_CREDITS;
    if ((uint16_t)(expected - seq) <= HIL_CREDITS && reply_lengths[slot] > 0) {
        board_uart_write(reply_frames[slot], reply_lengths[slot] + 1u);
    }
}

static void accept(uint8_t type, uint16_t seq, const uint8_t *body, uint16_t length) {
    if (type == MESSAGE_HELLO) {
        begin_session();
        execute(type, seq, body, length);
        reply_lengths[seq % HIL_CREDITS] = 0; /* a HELLO that comes again begins again */
        return;
    }
    int16_t ahead = (int16_t)(seq - expected);
    if (ahead < 0) {
        answer_again(seq);
    } else if (ahead > 0) {
        /* Numbers that do not rise are the host's next try, in which the expected request was lost once more. */
        if (!gap_reported || (int16_t)(seq - beyond_gap) <= 0) {
            nak(NAK_GAP);
        }
        gap_reported = true;
        beyond_gap = seq;
    } else {
        gap_reported = false;
        expected++;
        execute(type, seq, body, length);
    }
}

static void receive(uint8_t byte) {
    switch (frame_decode(&decoder, byte)) {
    case FRAME_COMPLETE: {
        uint16_t length;
        const uint8_t *body = frame_body(&decoder, &length);
        accept(frame_type(&decoder), frame_seq(&decoder), body, length);
        break;
    }
    case FRAME_CORRUPT:
        requests_count_bad_frame();
        nak(NAK_CORRUPT);
        break;
    case FRAME_INCOMPLETE:
        break;
    }
}

void server_poll(void) {
    uint8_t byte;
    while (ring_read(&byte)) {
        if (echo_left > 0) {
            echo_left--;
            board_uart_write(&byte, 1);
        } else {
            receive(byte);
        }
    }
    board_sleep_while(ring_is_empty);
}

/*
 * An Arduino Uno in simavr, with an MPU6050 on its bus and its serial port on a pseudo-terminal.
 *   uno_board SKETCH.elf ROWS IDENTITY|absent LOOSE_AT BUSY_AT
 * ROWS has what the sensor senses at its rate, int16 of this machine, in counts of 4 g and 2000 dps. The name of the
 * terminal is printed. As on a real board, opening the port resets the Uno, but not its sensor, which plays the rows
 * from the start again. Time passes as fast as the host's machine and reader allow: where the terminal is full it
 * waits. When the sensor has sensed the last row for some seconds, the board stands still until the host sends
 * something.
 */
#define _GNU_SOURCE
#include "mpu6050_model.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <simavr/avr_twi.h>
#include <simavr/avr_uart.h>
#include <simavr/sim_avr.h>
#include <simavr/sim_elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#define ADDRESS 0x68
#define CYCLES_A_TURN 16000
#define OVERTIME_SAMPLES 100
#define LOOSE_MS 500
#define BUSY_MS 2000
#define LOOK_MS 1     /* between looks whether the port has been set up */
#define SET_UP_MS 500 /* who opens the port sets it up, and discards what came; a boot loader takes longer */

static struct {
    avr_t *avr;
    int terminal;
    int openings;     /* of the terminal: what inotify tells, even if it was closed for no time at all */
    bool takes_bytes; /* the UART has room */
    bool is_open;     /* as it was when the Uno was reset */
    mpu6050_t sensor;
    const mpu6050_row_t *rows;
    uint32_t row_count;
    uint32_t loose_at, loose_ms, busy_at; /* 0: never, and not */
    bool is_absent;
    avr_irq_t *bus;
    bool is_addressed, has_register;
    uint8_t reg;
} board;

static void fail(const char *what) {
    fprintf(stderr, "uno_board: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* ---- the sensor on the bus ---- */

static void answer(uint8_t kind, uint8_t data) {
    avr_raise_irq(board.bus + TWI_IRQ_INPUT, avr_twi_irq_msg(kind, ADDRESS << 1, data));
}

static void on_bus(avr_irq_t *irq, uint32_t value, void *unused) {
    (void)irq, (void)unused;
    avr_twi_msg_irq_t message = {.u.v = value};
    uint8_t kind = message.u.twi.msg;
    if (kind & TWI_COND_STOP) {
        board.is_addressed = false;
    }
    if (kind & TWI_COND_START) {
        board.is_addressed = !board.is_absent && board.loose_ms == 0 && message.u.twi.addr >> 1 == ADDRESS;
        board.has_register = false;
        if (board.is_addressed) {
            answer(TWI_COND_ACK, 1);
        }
    }
    if (!board.is_addressed) {
        return;
    }
    if (kind & TWI_COND_WRITE) {
        answer(TWI_COND_ACK, 1);
        if (board.has_register) {
            mpu6050_write(&board.sensor, board.reg, message.u.twi.data);
            board.reg = mpu6050_after(board.reg);
        } else {
            board.reg = message.u.twi.data;
            board.has_register = true;
        }
    }
    if (kind & TWI_COND_READ) {
        answer(TWI_COND_READ, mpu6050_read(&board.sensor, board.reg));
        board.reg = mpu6050_after(board.reg);
    }
}

static avr_cycle_count_t on_millisecond(avr_t *avr, avr_cycle_count_t when, void *unused) {
    (void)unused;
    mpu6050_pass(&board.sensor);
    if (board.loose_at > 0 && board.sensor.next_row == board.loose_at) {
        mpu6050_power_on(&board.sensor, board.sensor.identity);
        mpu6050_sense(&board.sensor, board.rows + board.loose_at, board.row_count - board.loose_at);
        board.loose_at = 0;
        board.loose_ms = LOOSE_MS;
    }
    board.loose_ms -= board.loose_ms > 0;
    if (board.busy_at > 0 && board.sensor.next_row == board.busy_at) {
        for (uint32_t i = 0; i < BUSY_MS; i++) {
            mpu6050_pass(&board.sensor);
        }
        board.busy_at = 0;
    }
    return when + avr->frequency / 1000;
}

/* ---- the serial port ---- */

static void on_room(avr_irq_t *irq, uint32_t value, void *room) {
    (void)irq;
    if (value) {
        board.takes_bytes = room != NULL;
    }
}

static bool is_opened_again(void) {
    struct pollfd opening = {board.openings, POLLIN, 0};
    return poll(&opening, 1, 0) > 0;
}

static void on_byte(avr_irq_t *irq, uint32_t value, void *unused) {
    (void)irq, (void)unused;
    uint8_t byte = (uint8_t)value;
    board.sensor.overtime = 0;
    board.is_open = board.is_open && !is_opened_again();
    while (board.is_open && write(board.terminal, &byte, 1) != 1) {
        struct pollfd changes[] = {{board.terminal, POLLOUT, 0}, {board.openings, POLLIN, 0}};
        board.is_open = errno == EAGAIN && poll(changes, 2, -1) > 0 && changes[0].revents == POLLOUT;
    }
}

/* Hands over what the host sends, as far as the UART has room. The terminal tells in front of each piece what happened
 * to it (TIOCPKT in ioctl_tty(2)); the return value is that. */
static int take_bytes(void) {
    uint8_t bytes[32]; /* the UART has room for 64 */
    ssize_t count = read(board.terminal, bytes, sizeof bytes);
    if (count < 0) {
        board.is_open = board.is_open && errno != EIO;
        return 0;
    }
    for (ssize_t i = 1; bytes[0] == TIOCPKT_DATA && i < count; i++) {
        avr_raise_irq(avr_io_getirq(board.avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_INPUT), bytes[i]);
    }
    return count > 0 ? bytes[0] : 0;
}

static void wait_until_opened(void) {
    char events[1024];
    if (read(board.openings, events, sizeof events) <= 0) {
        fail("inotify");
    }
    board.is_open = true;
    int waited = 0;
    while (waited < SET_UP_MS && board.is_open && !(take_bytes() & TIOCPKT_FLUSHREAD)) {
        usleep(LOOK_MS * 1000);
        waited += LOOK_MS;
    }
}

static void open_terminal(void) {
    int on = 1;
    board.terminal = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
    if (board.terminal < 0 || grantpt(board.terminal) || unlockpt(board.terminal)) {
        fail("no pseudo-terminal");
    }
    /* Not even the first byte may be echoed. The settings stay when it is closed. */
    int port = open(ptsname(board.terminal), O_RDWR | O_NOCTTY);
    struct termios settings;
    if (port < 0 || tcgetattr(port, &settings)) {
        fail(ptsname(board.terminal));
    }
    cfmakeraw(&settings);
    if (tcsetattr(port, TCSANOW, &settings) || ioctl(board.terminal, TIOCPKT, &on)) {
        fail(ptsname(board.terminal));
    }
    close(port);
    board.openings = inotify_init();
    if (board.openings < 0 || inotify_add_watch(board.openings, ptsname(board.terminal), IN_OPEN) < 0) {
        fail("inotify");
    }
    puts(ptsname(board.terminal));
    fflush(stdout);
}

/* ---- the board ---- */

/* A core that sleeps costs no time. */
static void skip(avr_t *avr, avr_cycle_count_t cycles) {
    (void)avr, (void)cycles;
}

static void quiet(avr_t *avr, const int level, const char *format, va_list arguments) {
    (void)avr;
    if (level <= LOG_ERROR) {
        vfprintf(stderr, format, arguments);
    }
}

static void make_board(const char *sketch) {
    elf_firmware_t firmware = {0};
    avr_global_logger_set(quiet);
    if (elf_read_firmware(sketch, &firmware)) {
        fail(sketch);
    }
    board.avr = avr_make_mcu_by_name("atmega328p");
    if (board.avr == NULL || avr_init(board.avr)) {
        fail("simavr has no ATmega328P");
    }
    board.avr->frequency = 16000000;
    avr_load_firmware(board.avr, &firmware);
    board.avr->sleep = skip;
    uint32_t flags = 0; /* no pauses of the host's where a sketch polls */
    avr_ioctl(board.avr, AVR_IOCTL_UART_SET_FLAGS('0'), &flags);

    board.bus = avr_io_getirq(board.avr, AVR_IOCTL_TWI_GETIRQ(0), 0);
    avr_irq_register_notify(board.bus + TWI_IRQ_OUTPUT, on_bus, NULL);
    avr_irq_t *port = avr_io_getirq(board.avr, AVR_IOCTL_UART_GETIRQ('0'), 0);
    avr_irq_register_notify(port + UART_IRQ_OUTPUT, on_byte, NULL);
    avr_irq_register_notify(port + UART_IRQ_OUT_XON, on_room, &board);
    avr_irq_register_notify(port + UART_IRQ_OUT_XOFF, on_room, NULL);
}

static void read_rows(const char *name) {
    FILE *file = fopen(name, "rb");
    struct stat facts;
    if (file == NULL || fstat(fileno(file), &facts)) {
        fail(name);
    }
    mpu6050_row_t *rows = malloc((size_t)facts.st_size + 1);
    board.row_count = (uint32_t)((size_t)facts.st_size / sizeof *rows);
    if (rows == NULL || fread(rows, sizeof *rows, board.row_count, file) != board.row_count) {
        fail(name);
    }
    fclose(file);
    board.rows = (const mpu6050_row_t *)rows;
}

/* From the moment that the port is opened until it is closed. */
static void run(void) {
    avr_reset(board.avr);
    board.takes_bytes = false;
    avr_cycle_timer_register(board.avr, board.avr->frequency / 1000, on_millisecond, NULL);
    while (board.is_open) {
        avr_cycle_count_t end = board.avr->cycle + CYCLES_A_TURN;
        while (board.is_open && board.avr->cycle < end) {
            int state = avr_run(board.avr);
            if (state == cpu_Done || state == cpu_Crashed) {
                fail("the sketch crashed");
            }
        }
        if (board.sensor.overtime > OVERTIME_SAMPLES) {
            struct pollfd changes[] = {{board.terminal, POLLIN, 0}, {board.openings, POLLIN, 0}};
            poll(changes, 2, -1);
            board.sensor.overtime = 0;
        }
        board.is_open = board.is_open && !is_opened_again();
        if (board.is_open && board.takes_bytes) {
            take_bytes();
        }
    }
}

int main(int count, char **arguments) {
    if (count != 6) {
        fputs("usage: uno_board SKETCH.elf ROWS IDENTITY|absent LOOSE_AT BUSY_AT\n", stderr);
        return 2;
    }
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    make_board(arguments[1]);
    read_rows(arguments[2]);
    board.is_absent = strcmp(arguments[3], "absent") == 0;
    mpu6050_power_on(&board.sensor, (uint8_t)strtoul(arguments[3], NULL, 0));
    board.loose_at = (uint32_t)strtoul(arguments[4], NULL, 0);
    board.busy_at = (uint32_t)strtoul(arguments[5], NULL, 0);
    open_terminal();
    for (;;) {
        wait_until_opened();
        mpu6050_sense(&board.sensor, board.rows, board.row_count);
        run();
    }
}

"""The I2C part of the STM32: what it does on the bus, step by step, and that no bus can make it wait for ever.

It is compiled for this machine. A simulation of the controller, written from the reference manual RM0090, answers it.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from support.firmware_helpers import LIBRARIES

MHZ = 1_000_000
HSI = 16 * MHZ

CORE = """
#include <stdint.h>
volatile uint32_t *access(uint32_t address);
#define REGISTER(address) (*access(address))
"""
SIMULATION = """
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "board.h"
#include "stm32_i2c/i2c.c"

enum { CR1, CR2, DR = 4, SR1, SR2, CCR, TRISE, COUNT };
enum { START = 1 << 8, STOP = 1 << 9, ACK = 1 << 10, SWRST = 1 << 15 };
enum { SB = 1, ADDR = 2, RXNE = 1 << 6, TXE = 1 << 7, AF = 1 << 10 };
enum { UNTOUCHED = 1 << 16 }; /* in DR: what a write clears */

static volatile uint32_t i2c[COUNT], others[1 << 16];
static enum { FREE, ADDRESS, TO_DEVICE, FROM_DEVICE } state;
static int last = -1;
static const char *device; /* what is wrong with the device */
static uint8_t content = 0xA5;
static int taken;
static bool is_refused; /* told when the byte has been sent: TXE rises before */

static void set_data(uint8_t value) {
    i2c[DR] = UNTOUCHED | value;
}

static void addressed(uint8_t byte) {
    i2c[SR1] &= ~SB;
    printf("%02X%c ", byte >> 1, byte & 1 ? 'r' : 'w');
    state = byte & 1 ? FROM_DEVICE : TO_DEVICE;
    i2c[SR1] |= byte >> 1 != 0x6A || !strcmp(device, "absent") || (byte & 1 && !strcmp(device, "no read")) ? AF : ADDR;
}

/* What the last access was, and what the controller does about it. */
static void follow(void) {
    if (last == DR && !(i2c[DR] & UNTOUCHED)) {
        uint8_t byte = (uint8_t)i2c[DR];
        i2c[SR1] &= ~TXE;
        if (state == ADDRESS) {
            addressed(byte);
        } else if (state == TO_DEVICE) {
            printf("%02X ", byte);
            i2c[SR1] |= TXE;
            is_refused = taken++ && !strcmp(device, "refuses");
        } else {
            printf("misplaced ");
        }
    } else if (last == DR) {
        i2c[SR1] &= ~RXNE;
    }
    if (last == SR2 && i2c[SR1] & ADDR) {
        i2c[SR1] = (i2c[SR1] & ~ADDR) | (state == FROM_DEVICE ? (strcmp(device, "mute") ? RXNE : 0) : TXE);
        if (state == FROM_DEVICE) {
            set_data(content);
            printf("=%02X%s ", content, i2c[CR1] & ACK ? " ack" : "");
        }
    }
    if (last != DR && state != FROM_DEVICE) {
        set_data(0);
    }
    if (i2c[CR1] & SWRST) {
        state = FREE;
        memset((void *)i2c, 0, sizeof i2c);
        i2c[CR1] = SWRST;
    }
    if (i2c[CR1] & START && strcmp(device, "stuck")) {
        printf("S ");
        state = ADDRESS;
        taken = 0;
        set_data(0);
        i2c[SR1] = SB;
        i2c[CR1] &= ~START;
    }
    if (i2c[CR1] & STOP && strcmp(device, "stuck")) {
        printf("P ");
        state = state == FROM_DEVICE ? state : FREE; /* its byte has yet to be read */
        i2c[SR1] |= is_refused ? AF : 0;
        is_refused = false;
        i2c[CR1] &= ~STOP;
    }
}

volatile uint32_t *access(uint32_t address) {
    follow();
    last = address - 0x40005400u < 4 * COUNT ? (int)(address - 0x40005400u) / 4 : -1;
    return last >= 0 ? &i2c[last] : &others[address & 0xFFFF];
}

uint32_t board_clock_hz(void) {
    return CLOCK;
}

int main(int argc, char **argv) {
    uint8_t value = 0;
    (void)argc;
    device = argv[1];
    bus_init();
    access(0);
    printf("%u %u %u\\n", i2c[CR2], i2c[CCR], i2c[TRISE]);
    for (int i = 0; i < 2; i++) {
        bool done = bus_read(0x6A, 0x0F, &value);
        access(0);
        printf("%d %02X %X\\n", done, value, i2c[SR1] & AF);
        done = bus_write(0x6A, 0x10, 0x48);
        access(0);
        printf("%d %X\\n", done, i2c[SR1] & AF);
    }
    return 0;
}
"""


def compiled(folder: Path, f_cpu: int = 168 * MHZ, clock: int | None = None) -> Path:
    if shutil.which("gcc") is None:
        pytest.skip("no gcc on PATH")
    (folder / "cortexm").mkdir()
    (folder / "cortexm" / "cortexm.h").write_text(CORE)
    (folder / "simulation.c").write_text(SIMULATION)
    defines = {"F_CPU": f"{f_cpu}u", "CLOCK": f"{clock or f_cpu}u", "STM32_USART": 2, "BOARD_SENSOR_BUS": 1}
    defines |= {f"BOARD_SENSOR_{end}": f"{n}u" for end, n in (("SCL_PORT", 1), ("SDA_PORT", 1))}
    defines |= {f"BOARD_SENSOR_{end}": f"{n}u" for end, n in (("SCL_PIN", 8), ("SDA_PIN", 9))}
    options = ["-std=c11", "-Wall", "-Wextra", "-Werror", *(f"-D{name}={value}" for name, value in defines.items())]
    command = ["gcc", *options, f"-I{folder}", f"-I{LIBRARIES / 'board'}", "simulation.c", "-o", "simulation"]
    subprocess.run(command, cwd=folder, check=True)
    return folder / "simulation"


def lines(program: Path, device: str = "") -> list[str]:
    """What `program` does with a device of which something is wrong: first its set-up, then what it reads and writes.

    S and P are START and STOP, `r` and `w` the direction behind an address, `=` what the device sends.
    """
    done = subprocess.run([program, device], stdout=subprocess.PIPE, text=True, check=True, timeout=60)
    return done.stdout.splitlines()


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compiled(tmp_path_factory.mktemp("i2c"))


def test_a_register_is_read_and_written_step_by_step(program: Path) -> None:
    assert lines(program)[1:3] == ["S 6Aw 0F S 6Ar =A5 P 1 A5 0", "S 6Aw 10 48 P 1 0"]


@pytest.mark.parametrize(
    ("device", "read", "write"),
    [
        ("absent", "S 6Aw P 0 00 0", "S 6Aw P 0 0"),
        ("no read", "S 6Aw 0F S 6Ar P 0 00 0", "S 6Aw 10 48 P 1 0"),
        ("refuses", "S 6Aw 0F S 6Ar =A5 P 1 A5 0", "S 6Aw 10 48 P 0 0"),
        ("mute", "S 6Aw 0F S 6Ar =A5 P 0 00 0", "S 6Aw 10 48 P 1 0"),
        ("stuck", "0 00 0", "0 0"),
    ],
)
def test_a_device_that_fails_ends_the_transfer_and_the_next_begins_anew(
    program: Path, device: str, read: str, write: str
) -> None:
    assert lines(program, device)[1:] == [read, write] * 2


@pytest.mark.parametrize(
    ("f_cpu", "clock", "bus"),
    [(168 * MHZ, None, 42 * MHZ), (180 * MHZ, None, 45 * MHZ), (84 * MHZ, None, 42 * MHZ), (168 * MHZ, HSI, HSI)],
)
def test_the_bus_is_as_fast_as_the_sensor_may_be(tmp_path: Path, f_cpu: int, clock: int | None, bus: int) -> None:
    mhz, ccr, rise = map(int, lines(compiled(tmp_path, f_cpu, clock))[0].split())
    assert mhz * MHZ == bus
    assert ccr & 0xF000 == 0x8000  # fast mode, low twice as long as high
    assert 380_000 < bus / (3 * (ccr & 0xFFF)) <= 400_000
    assert (rise - 1) / bus <= 300e-9 < (rise + 1) / bus

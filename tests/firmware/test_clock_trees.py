"""What start-up writes into the registers of clocks, against the limits of data sheets. No emulator has these clocks.

The code is compiled for this machine; a simulation of oscillators and PLLs, or of broken ones, answers it.
"""

from __future__ import annotations

import shutil
import subprocess
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.firmware_helpers import LIBRARIES
from support.targets import TARGETS
from target_board import manifest

MHZ = 1_000_000

CORE = """
#include <stdint.h>
volatile uint32_t *access(uint32_t address);
#define REGISTER(address) (*access(address))
#define CHIP_UART_IRQ(number) extern int unused;
void chip_init(void);
void chip_on_uart(void);
void chip_reset(void);
"""
SIMULATION = """
#include <stdio.h>
#include "board.h"
#include "cortexm/cortexm.h"

static struct { uint32_t address, value; } registers[100];

/* The memory of a register: 0 at first, then what was written. */
static uint32_t *memory(uint32_t address) {
    unsigned i = 0;
    while (registers[i].address && registers[i].address != address) {
        i++;
    }
    registers[i].address = address;
    return &registers[i].value;
}

#define R(address) (*memory(address))

volatile uint32_t *access(uint32_t address) {
    FOLLOW
    return memory(address);
}

void board_on_receive(uint8_t byte) {
    (void)byte;
}

int main(void) {
    chip_init();
    printf("0 %u\\n", board_clock_hz());
    for (unsigned i = 0; registers[i].address; i++) {
        printf("%u %u\\n", registers[i].address, registers[i].value);
    }
}
"""
# What the hardware does with what was written.
FOLLOW = {
    "stm32": """
    uint32_t cr = R(0x40023800), cfgr = R(0x40023808);
    R(0x40023800) = cr | (cr & 1u) << 1 | (cr & 1u << 24) << 1;          /* RCC_CR: HSIRDY, PLLRDY */
    R(0x40023808) = (cfgr & ~0xCu) | (cfgr & 3u) << 2;                   /* RCC_CFGR: SWS */
    R(0x40007004) = R(0x40007000) & 3u << 16;                            /* PWR_CSR: ODRDY, ODSWRDY */
    """,
    "stm32l4": """
    uint32_t cr = R(0x40021000), cfgr = R(0x40021008);
    R(0x40021000) = cr | (cr & 1u << 8) << 2 | (cr & 1u << 24) << 1;     /* RCC_CR: HSIRDY, PLLRDY */
    R(0x40021008) = (cfgr & ~0xCu) | (cfgr & 3u) << 2;                   /* RCC_CFGR: SWS */
    """,
    "rp2040": """
    R(0x40024004) = R(0x40024000) ? 1u << 31 : 0;                        /* XOSC_STATUS: STABLE */
    R(0x40008038) = 1u << (R(0x40008030) & 3u);                          /* CLK_REF_SELECTED */
    R(0x40008044) = 1u << (R(0x4000803C) & 1u);                          /* CLK_SYS_SELECTED */
    R(0x4000C008) = ~R(0x4000C000);                                      /* RESETS_RESET_DONE */
    R(0x40028000) = (R(0x40028000) & 0x3Fu) | (R(0x40028004) & 0x21u ? 0 : 1u << 31); /* PLL_SYS_CS: LOCK */
    """,
}
CLOCK_HZ = 0
"""The key of what board_clock_hz() returns, among registers."""


def started(name: str, folder: Path, follow: str | None = None) -> dict[int, int]:
    """Return the registers by their addresses after the start of the target `name`."""
    if shutil.which("gcc") is None:
        pytest.skip("no gcc on PATH")
    build = manifest(tomllib.loads(TARGETS[name].file.read_text()))["build"]
    family = build["parts"][-1]
    (folder / "cortexm").mkdir()
    (folder / "cortexm" / "cortexm.h").write_text(CORE)
    (folder / "simulation.c").write_text(SIMULATION.replace("FOLLOW", FOLLOW[family] if follow is None else follow))
    defines = {"F_CPU": build["f_cpu"], **build["defines"]}
    sources = [file for file in (LIBRARIES / "board" / family).glob("*.c") if file.name != "boot.c"]
    flags = ["-std=gnu11", "-O1", "-w", f"-I{folder}", f"-I{LIBRARIES / 'board'}"]
    flags += [f"-D{name}={value}" for name, value in defines.items()]
    subprocess.run(["gcc", *flags, "-o", "simulation", "simulation.c", *sources], cwd=folder, check=True)
    said = subprocess.run([folder / "simulation"], capture_output=True, text=True, check=True, timeout=60).stdout
    return {int(address): int(value) for address, value in (line.split() for line in said.splitlines())}


def field(value: int, lowest: int, bits: int) -> int:
    return value >> lowest & (1 << bits) - 1


def check_baud(hz: float, divisor: float, name: str) -> None:
    """Half a bit of ten is where a UART reads wrongly, and each end has its own oscillator: leave most of that."""
    assert hz / divisor == pytest.approx(TARGETS[name].uart.baud, rel=0.01)


@dataclass(frozen=True)
class Limits:
    """Of a data sheet, in MHz: the core, the slower and the faster bus, and the PLL's oscillator."""

    core: int
    apb1: int
    apb2: int
    vco: tuple[int, int]
    over_drive_from: int = 1000
    scale_1_from: int = 1000


STM32 = {
    "stm32f2": Limits(120, 30, 60, (192, 432)),
    "nucleo_f401re": Limits(84, 42, 84, (192, 432)),
    "nucleo_f411re": Limits(100, 50, 100, (100, 432), scale_1_from=84),
    "disco_f407vg": Limits(168, 42, 84, (192, 432), scale_1_from=144),
    "stm32f4": Limits(168, 42, 84, (192, 432), scale_1_from=144),
    "nucleo_f446re": Limits(180, 45, 90, (100, 432), scale_1_from=144, over_drive_from=168),
}
SLOWER_BUS = {0: 1, 4: 2, 5: 4, 6: 8, 7: 16}


@pytest.mark.parametrize("name", STM32)
def test_an_stm32f2_or_f4_runs_within_its_limits(name: str, tmp_path: Path) -> None:
    registers, limits, target = started(name, tmp_path), STM32[name], TARGETS[name]
    pll, cfgr, pwr = registers[0x4002_3804], registers[0x4002_3808], registers[0x4000_7000]
    vco = 16 / field(pll, 0, 6) * field(pll, 6, 9)
    core = vco / (2 * field(pll, 16, 2) + 2)
    assert (core * MHZ, registers[CLOCK_HZ]) == (target.clock_hz, target.clock_hz)
    assert core <= limits.core
    assert limits.vco[0] <= vco <= limits.vco[1]
    assert 1 <= 16 / field(pll, 0, 6) <= 2, "what the PLL is given"
    assert vco / field(pll, 24, 4) <= 48, "USB"
    assert field(cfgr, 0, 2) == 2
    apb1 = core / SLOWER_BUS[field(cfgr, 10, 3)]
    assert apb1 <= limits.apb1
    assert core / SLOWER_BUS[field(cfgr, 13, 3)] <= limits.apb2
    wait_states = field(registers[0x4002_3C00], 0, 4)
    assert wait_states * 30 < core <= (wait_states + 1) * 30
    assert bool(pwr & 1 << 14) == (core > limits.scale_1_from)
    assert field(pwr, 16, 2) == (3 if core > limits.over_drive_from else 0)
    check_baud(apb1 * MHZ, registers[0x4000_4408], name)


def test_an_stm32l4_runs_within_its_limits(tmp_path: Path) -> None:
    name = "nucleo_l4r5zi"
    registers, target = started(name, tmp_path), TARGETS[name]
    pll, cfgr = registers[0x4002_100C], registers[0x4002_1008]
    given = 16 / (field(pll, 4, 4) + 1)
    vco = given * field(pll, 8, 7)
    core = vco / (2 * field(pll, 25, 2) + 2)
    assert (core * MHZ, registers[CLOCK_HZ]) == (target.clock_hz, target.clock_hz)
    assert 2.66 <= given <= 16
    assert 64 <= vco <= 344
    assert pll & 1 << 24, "the output that the core runs on"
    assert (field(cfgr, 0, 2), field(cfgr, 4, 4), field(cfgr, 8, 6)) == (3, 0, 0)
    assert field(registers[0x4002_2000], 0, 4) * 20 < core <= (field(registers[0x4002_2000], 0, 4) + 1) * 20
    assert not registers[0x4000_7080] & 1 << 8, "more than 80 MHz"
    assert registers[0x4000_7004] & 1 << 9, "the supply of port G"
    check_baud(core * MHZ, registers[0x4000_800C] / 256, name)


def test_the_rp2040_runs_within_its_limits(tmp_path: Path) -> None:
    registers, target = started("pico", tmp_path), TARGETS["pico"]
    vco = 12 / field(registers[0x4002_8000], 0, 6) * registers[0x4002_8008]
    core = vco / field(registers[0x4002_800C], 16, 3) / field(registers[0x4002_800C], 12, 3)
    assert (core * MHZ, registers[CLOCK_HZ]) == (target.clock_hz, target.clock_hz)
    assert 750 <= vco <= 1600
    assert core <= 133
    assert not registers[0x4002_8004] & 1 << 3, "the dividers behind it have power"
    assert (field(registers[0x4000_803C], 0, 1), field(registers[0x4000_803C], 5, 3)) == (1, 0)
    assert not registers[0x4000_C000] & (1 << 22 | 1 << 12 | 1 << 8 | 1 << 5), "what is used is not held in reset"
    check_baud(core * MHZ, 16 * (registers[0x4003_4024] + registers[0x4003_4028] / 64), "pico")


@pytest.mark.parametrize(("name", "hz"), [("nucleo_f446re", 16 * MHZ), ("nucleo_l4r5zi", 4 * MHZ), ("pico", 6_500_000)])
def test_with_clocks_that_do_not_start_a_chip_says_which_clock_it_has(name: str, hz: int, tmp_path: Path) -> None:
    assert started(name, tmp_path, follow="")[CLOCK_HZ] == hz

"""The board support of targets compiles and links: the compiler alone, without PlatformIO and our application."""

from __future__ import annotations

import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile
from fastcrc import crc32
from support.firmware_helpers import LIBRARIES, ROOT
from support.targets import BUILT, EVERY_TIME, TARGETS
from target_board import manifest
from tflm_hil.targets import Target

APPLICATION = """
#include "board.h"

static bool idle(void) {
    return true;
}

void board_on_receive(uint8_t byte) {
    board_uart_write(&byte, 1);
}

void board_on_fault(const board_fault_t *fault) {
    board_uart_write((const uint8_t *)fault, sizeof *fault);
    board_uart_flush();
}

int main(void) {
    board_init();
    board_measure_begin();
    uint32_t facts[] = {board_measure_end(), board_measure_interrupts(), board_counter(),    board_clock_hz(),
                        board_reset_cause(), board_uart_overruns(),      board_stack_size(), board_stack_peak()};
    board_uart_write((const uint8_t *)facts, sizeof facts);
    board_uart_write(board_build_id(), BOARD_BUILD_ID_BYTES);
    board_sleep_while(idle);
    board_crash(BOARD_CRASH_HANG);
    board_reset();
}
"""
STRICT = ["-std=c11", "-Os", "-Wall", "-Wextra", "-Werror"]
LINKED = ["-nostartfiles", "--specs=nano.specs", "-Wl,--gc-sections", "-Wl,--build-id=sha1", "-Wl,--fatal-warnings"]


def compiled(target: Target, folder: Path) -> Path:
    """Return the ELF file of an application that uses all of the board."""
    if shutil.which("arm-none-eabi-gcc") is None:
        pytest.skip("no arm-none-eabi-gcc")
    assert target.build is not None
    build = manifest(tomllib.loads(target.file.read_text()))["build"]
    (folder / "application.c").write_text(APPLICATION)
    (folder / "target.ld").write_text(build["linker_script"])
    defines = {"F_CPU": build["f_cpu"], **build["defines"]}
    sources = [file for part in build["parts"] for file in sorted((LIBRARIES / "board" / part).glob("*.c"))]
    subprocess.run(
        [
            "arm-none-eabi-gcc",
            *build["cpu_flags"],
            "-masm-syntax-unified",
            *STRICT,
            *LINKED,
            *(f"-D{name}={value}" for name, value in defines.items()),
            f"-I{LIBRARIES / 'board'}",
            *("-T", "target.ld", f"-L{ROOT / 'firmware' / 'platform' / 'ldscripts'}", "-o", "program.elf"),
            *("application.c", *sources),
        ],
        cwd=folder,
        check=True,
    )
    return folder / "program.elf"


@pytest.mark.parametrize(
    "target", [target for target in BUILT if target.name not in EVERY_TIME], ids=lambda target: target.name
)
def test_every_target_has_a_board(target: Target, tmp_path: Path) -> None:
    with compiled(target, tmp_path).open("rb") as stream:
        elf = ELFFile(stream)
        sizes = {section.name: section["sh_size"] for section in elf.iter_sections()}
        first = next(segment for segment in elf.iter_segments("PT_LOAD"))["p_paddr"]
    assert first == target.memory["flash"].origin
    assert sizes[".stack"] == 4096


def test_the_boot_rom_of_the_rp2040_finds_its_second_stage(tmp_path: Path) -> None:
    elf = compiled(TARGETS["pico"], tmp_path)
    subprocess.run(["arm-none-eabi-objcopy", "-O", "binary", elf, elf.with_suffix(".bin")], check=True)
    image = elf.with_suffix(".bin").read_bytes()
    assert crc32.mpeg_2(image[:252]) == int.from_bytes(image[252:256], "little")
    stack, start = (int.from_bytes(image[at : at + 4], "little") for at in (256, 260))
    assert stack == 0x2000_1000
    assert 0x1000_0100 < start < 0x1000_0000 + len(image)

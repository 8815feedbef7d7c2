"""Small programs for emulated Cortex-M cores, with stdin and stdout through semihosting."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.compiler_helpers import ENGINE, FLAGS, SOURCES
from support.once import once


@dataclass(frozen=True)
class Core:
    """A core to compile for; with a `machine` of QEMU that has memory at 0 and 0x20000000, also to run on."""

    name: str
    flags: tuple[str, ...]
    machine: str | None
    ram: str = "4M"


CORES = [
    Core("cortex-m0", (), "microbit", "16K"),
    Core("cortex-m3", (), "mps2-an385"),
    Core("cortex-m4", ("-mfloat-abi=hard", "-mfpu=fpv4-sp-d16"), "mps2-an386"),
    Core("cortex-m7", ("-mfloat-abi=hard", "-mfpu=fpv5-sp-d16"), "mps2-an500"),
    Core("cortex-m33", ("-mfloat-abi=hard", "-mfpu=fpv5-sp-d16"), None),
]
COMPILER = "arm-none-eabi-gcc"
OPTIMIZE = ("-Os", "-ffunction-sections")
EMULATOR = "qemu-system-arm"

needs_arm_gcc = pytest.mark.skipif(
    shutil.which(COMPILER) is None, reason="no arm-none-eabi-gcc: install gcc-arm-none-eabi"
)
needs_qemu = pytest.mark.skipif(shutil.which(EMULATOR) is None, reason="no qemu-system-arm: install qemu-system-arm")

# Cores to run on. The M7 executes the code of the M4, and the M3 the plain C of the M0, so they run only nightly.
RUNNABLE = [
    pytest.param(core, id=core.name, marks=[pytest.mark.nightly] if core.name in ("cortex-m3", "cortex-m7") else [])
    for core in CORES
    if core.machine
]

STARTUP = """
#include <stdint.h>
extern uint32_t stack_top;
void _start(void);
static void reset(void) {
#ifdef __ARM_FP
    *(volatile uint32_t *)0xE000ED88 |= 0xFu << 20; /* CPACR: switch the FPU on */
    __asm__ volatile("dsb\\n\\tisb");
#endif
    _start();
}
__attribute__((section(".vectors"), used)) static void *const vectors[16] = {&stack_top, (void *)reset};
"""

LINKER_SCRIPT = """
MEMORY {
    CODE (rx) : ORIGIN = 0, LENGTH = 256K
    DATA (rw) : ORIGIN = 0x20000000, LENGTH = %s
}
ENTRY(_start)
SECTIONS {
    .text : {
        KEEP(*(.vectors)) *(.text*) KEEP(*(.init)) KEEP(*(.fini)) *(.rodata*)
        __init_array_start = .; KEEP(*(.init_array*)) __init_array_end = .;
    } > CODE
    .ARM.exidx : { *(.ARM.exidx*) } > CODE
    .data : { *(.data*) } > DATA
    .bss : { __bss_start__ = .; *(.bss*) *(COMMON) __bss_end__ = .; } > DATA
    end = .;
    __end__ = .;
    stack_top = ORIGIN(DATA) + LENGTH(DATA);
    __stack = stack_top;
}
"""


def target_flags(core: Core) -> list[str]:
    """Return the options of gcc for `core`."""
    return [f"-mcpu={core.name}", "-mthumb", *core.flags]


def kernels(core: Core) -> Path:
    """Return an archive of all kernels and of the engine."""

    def make(folder: Path) -> None:
        sources = [ENGINE / "engine_aot.c", *SOURCES]
        subprocess.run([COMPILER, *target_flags(core), *OPTIMIZE, *FLAGS, "-c", *sources], check=True, cwd=folder)
        objects = sorted(folder.glob("*.o"))
        subprocess.run(["arm-none-eabi-ar", "rcs", folder / "kernels.a", *objects], check=True)

    return once(f"kernels-{core.name}", make) / "kernels.a"


def build(core: Core, folder: Path, flags: Sequence[str], sources: Sequence[Path]) -> Path:
    """Compile `sources` for `core`; return the ELF file."""
    (folder / "startup.c").write_text(STARTUP)
    (folder / "link.ld").write_text(LINKER_SCRIPT % core.ram)
    program = folder / "program.elf"
    command = [COMPILER, *target_flags(core), *OPTIMIZE, *flags, "--specs=rdimon.specs", "-T", str(folder / "link.ld")]
    command += ["-Wl,--gc-sections"]
    command += ["-o", str(program), str(folder / "startup.c"), *map(str, sources)]
    subprocess.run(command, check=True)
    return program


def run(core: Core, program: Path, arguments: Sequence[str], stdin: bytes) -> bytes:
    """Run `program`; return what it writes to stdout."""
    assert core.machine is not None
    options = ",".join(["enable=on", "target=native", f"arg={program.name}", *(f"arg={text}" for text in arguments)])
    command = [EMULATOR, "-M", core.machine, "-kernel", str(program), "-semihosting-config", options]
    command += ["-nographic", "-monitor", "none", "-serial", "none"]
    result = subprocess.run(command, input=stdin, capture_output=True, timeout=60, check=False)
    assert result.returncode == 0, result.stderr.decode()
    return result.stdout

"""A program for a Cortex-M, compiled and linked without PlatformIO, which takes a moment."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

MAIN = r"""
extern "C" int twice(int);
namespace ns {
template <int N, typename T> __attribute__((noinline)) T deep(T value) {
    volatile char room[N];
    room[0] = (char)value;
    return value + room[0];
}
static const unsigned char table[2048] = {1};
__attribute__((noinline)) long use(long at) { return table[at]; }
}
extern "C" int plain(int value) { return value + 1; }
extern "C" int other_name(int) __attribute__((alias("plain")));
extern "C" void start(void) { ns::use(plain(twice(ns::deep<512, int>(7)))); for (;;) {} }
"""
LIBRARY = "static int count; int twice(int value) { return 2 * value + count++; }\n"
FLAGS = ["-mcpu=cortex-m4", "-mthumb", "-O1", "-g1", "-fno-exceptions", "-ffunction-sections", "-fdata-sections"]


def linked(folder: Path, *flags: str, main: str = MAIN, link: str = "-Wl,-Map=build/env/app.map") -> Path:
    """Return the ELF file of `main` and LIBRARY, whose objects lie as PlatformIO puts them."""
    if shutil.which("arm-none-eabi-g++") is None:
        pytest.skip("no arm-none-eabi-g++ on PATH")
    build = folder / "build" / "env"
    (build / "lib3f1" / "app").mkdir(parents=True)
    (folder / "main.cpp").write_text(main)
    (folder / "twice.c").write_text(LIBRARY)

    def run(*command: str) -> None:
        subprocess.run(command, cwd=folder, check=True)

    run("arm-none-eabi-g++", *FLAGS, *flags, "-c", "main.cpp", "-o", "build/env/lib3f1/app/main.o")
    run("arm-none-eabi-gcc", *FLAGS, *flags, "-c", "twice.c", "-o", "twice.o")
    run("arm-none-eabi-gcc-ar", "rcs", "build/env/libtwice.a", "twice.o")
    objects = ["build/env/lib3f1/app/main.o", "build/env/libtwice.a", "-nostdlib", "-Wl,-e,start"]
    run("arm-none-eabi-g++", *FLAGS, *flags, *objects, link, "-o", "build/env/app.elf")
    return build / "app.elf"

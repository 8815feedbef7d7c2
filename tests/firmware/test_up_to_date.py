"""When a build is known to be up to date without PlatformIO: with pretended products and their records."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from tflm_hil.firmware import toolchain, up_to_date
from tflm_hil.firmware.up_to_date import Memory


class Build:
    """A project with one source, the header that only the compiler has named, and what was made of it."""

    def __init__(self, folder: Path) -> None:
        self.root, self.own = folder / "project", folder / "built"
        self.source, self.ini = self.root / "src" / "main.c", self.root / "platformio.ini"
        self.header = folder / "toolchain" / "stdint.h"
        self.elf, self.object = self.own / "program.elf", self.own / "main.o"
        self.consulted = self.elf.with_name("consulted.json")
        self.variables = {"PATH": "/bin"}
        for file in (self.source, self.ini, self.header, self.elf, self.object):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(file.name)
        for suffix in (".bin", ".map"):
            self.elf.with_suffix(suffix).write_text(suffix)
        self.made(self.elf, os.path.relpath(self.object, self.root))
        self.made(self.object, "src/main.c", str(self.header))
        self.consulted.write_text(json.dumps({"files": [str(self.ini)], "folders": [str(self.source.parent)]}))

    def made(self, product: Path, *inputs: str) -> None:
        Path(f"{product}.made").write_text(json.dumps({"inputs": dict.fromkeys(inputs, "digest")}))

    def memory(self) -> Memory:
        return Memory(self.own / "build.json", self.elf, self.root, self.own, (["pio", "run"], self.variables))

    def build(self, meanwhile: Callable[[Build], object] = lambda _: None) -> None:
        memory = self.memory()
        memory.forget()
        meanwhile(self)
        memory.remember()

    def is_up_to_date(self) -> bool:
        return self.memory().is_up_to_date()


def _let_time_pass(file: Path) -> None:
    """The clock of the file system moves in steps of some milliseconds."""
    file.write_text("")
    before = file.stat().st_ctime_ns
    while file.stat().st_ctime_ns == before:
        file.write_text("")


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Build:
    monkeypatch.setattr(toolchain, "identity", lambda: ["gcc 1 1"])
    build = Build(tmp_path)
    _let_time_pass(tmp_path / "tick")
    return build


def test_what_was_built_is_up_to_date_whatever_its_times_say(build: Build) -> None:
    assert not build.is_up_to_date()
    build.build()
    assert build.is_up_to_date()
    os.utime(build.source, ns=(1, 1))
    (build.source.parent / "__pycache__").mkdir()
    (build.source.parent / "__pycache__" / "left.pyc").write_text("")
    assert build.is_up_to_date()


CHANGES: dict[str, Callable[[Build], object]] = {
    "a source": lambda build: build.source.write_text("main.C"),
    "a header of the toolchain": lambda build: build.header.unlink(),
    "platformio.ini": lambda build: build.ini.write_text("[env]"),
    "another source": lambda build: build.source.with_name("new.c").write_text(""),
    "a source less": lambda build: build.source.unlink(),
    "the image cut short": lambda build: build.elf.write_text(""),
    "no copy for flash": lambda build: build.elf.with_suffix(".bin").unlink(),
    "a damaged object": lambda build: build.object.write_text("main"),
    "another PATH": lambda build: build.variables.update(PATH="/usr/bin"),
    "half a record": lambda build: (build.own / "build.json").write_text("{"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_it_is_not_after_a_change_of(build: Build, change: str) -> None:
    build.build()
    CHANGES[change](build)
    assert not build.is_up_to_date()


def test_it_is_not_with_another_compiler(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    build.build()
    monkeypatch.setattr(toolchain, "identity", lambda: ["gcc 1 2"])
    assert not build.is_up_to_date()


UNKNOWN: dict[str, Callable[[Build], object]] = {
    "a source that changed meanwhile": lambda build: build.source.write_text("main.C"),
    "a source that went meanwhile": lambda build: build.source.unlink(),
    "scripts of the user's, which read anything": lambda build: build.consulted.unlink(),
    "an object without a record": lambda build: Path(f"{build.object}.made").unlink(),
    "a link to a folder": lambda build: build.source.with_name("linked").symlink_to(build.own),
}


@pytest.mark.parametrize("case", UNKNOWN)
def test_nothing_is_remembered_with(build: Build, case: str) -> None:
    build.build(UNKNOWN[case])
    assert not build.is_up_to_date()


def test_a_build_that_fails_leaves_nothing(build: Build) -> None:
    build.build()
    build.memory().forget()
    assert not build.is_up_to_date()


def test_the_toolchain_is_its_files_with_sizes_and_times() -> None:
    identity = up_to_date._tools()
    assert any("arm-none-eabi-gcc" in line for line in identity)
    assert any("cc1plus" in line for line in identity)
    assert any(line.startswith("platformio ") for line in identity)

"""The search for the smallest arena: how sizes are tried, what is remembered, and what QEMU is asked."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.targets import STM32F4
from tflm_hil.boards.qemu import program as qemu_program
from tflm_hil.engines.tflm.arena import STEP, ArenaCache, Trial, find_smallest, outcome
from tflm_hil.errors import HilError


@given(need=st.integers(1, 1 << 20), ram=st.integers(1, 1 << 20))
def test_the_smallest_size_that_fits_is_found_with_few_trials(need: int, ram: int) -> None:
    tried: list[int] = []

    def attempt(size: int) -> Trial:
        tried.append(size)
        if size > ram:
            return Trial.NO_MORE_RAM
        return Trial.FITS if size >= need else Trial.TOO_SMALL

    smallest = -(-need // STEP) * STEP
    found = find_smallest(attempt)
    assert found == (smallest if smallest <= ram else None)
    assert len(tried) <= 30
    assert all(size % STEP == 0 and size > 0 for size in tried)


def test_a_size_is_remembered_under_its_key_alone(tmp_path: Path) -> None:
    cache = ArenaCache(tmp_path / "arenas")
    assert cache.recall("a") is None
    cache.remember("a", 1920)
    assert ArenaCache(tmp_path / "arenas").recall("a") == 1920
    assert cache.recall("b") is None


@pytest.mark.parametrize("damage", ["", "{", "-16", "0", '"1920"', "null"])
def test_a_damaged_memory_is_no_memory(tmp_path: Path, damage: str) -> None:
    cache = ArenaCache(tmp_path)
    cache.remember("a", 1920)
    (file,) = tmp_path.iterdir()
    file.write_text(damage)
    assert cache.recall("a") is None


def test_the_command_line() -> None:
    assert qemu_program.command_line("netduinoplus2", Path("/p/program.elf"), "1920") == [
        "qemu-system-arm",
        *("-M", "netduinoplus2"),
        *("-display", "none", "-monitor", "none", "-nodefaults", "-no-reboot"),
        *("-semihosting-config", "enable=on,target=native,arg=1920"),
        *("-kernel", "/p/program.elf"),
    ]


@pytest.mark.parametrize(
    ("script", "trial"),
    [
        ("exit 10", Trial.FITS),
        ("exit 11", Trial.TOO_SMALL),
        ("exit 12", Trial.NO_MORE_RAM),
        ("exit 0", Trial.TOO_SMALL),
        ("kill -9 $$", Trial.TOO_SMALL),
        ("exec sleep 100", Trial.TOO_SMALL),
    ],
)
def test_what_becomes_of_an_emulator(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, trial: Trial
) -> None:
    pretend_qemu(tmp_path, monkeypatch, script)
    monkeypatch.setattr(qemu_program, "SECONDS", 0.5)
    assert outcome(qemu_program.run(STM32F4, tmp_path / "program.elf", "16")) == trial


def test_an_emulator_that_cannot_start_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend_qemu(tmp_path, monkeypatch, "echo qemu: no such machine >&2; exit 1")
    with pytest.raises(HilError, match=r"does not run .*program\.elf: qemu: no such machine"):
        qemu_program.run(STM32F4, tmp_path / "program.elf", "16")


def pretend_qemu(directory: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    pretended = directory / "qemu-system-arm"
    pretended.write_text(f"#!/bin/sh\n{script}\n")
    pretended.chmod(0o755)
    monkeypatch.setattr(qemu_program, "QEMU", str(pretended))
    monkeypatch.setattr(qemu_program, "version", lambda: "7.2")

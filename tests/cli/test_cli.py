"""The `hil` command as its users type it."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path

import pytest
from support.hil_command import ROOT, hil
from support.needs import needs_compiler, needs_emulator


@needs_emulator
def test_replay_shows_both_sides_of_one_window_whole_however_narrow_the_terminal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    result = hil("replay", "gesture", "continuous_1", "--window", "7")
    assert result.returncode == 0
    (row,) = [line for line in result.stdout.splitlines() if line.strip().startswith("7 ")]
    assert "yes" in row
    assert row.count("[") == 2
    assert row.split()[1] == "flex"


@needs_compiler
def test_build_shows_sizes_and_the_build_id() -> None:
    result = hil("build", "gesture", "--variant", "float32")
    assert result.returncode == 0
    assert ".uart_buffers" in result.stdout
    assert "build id " in result.stdout


@needs_emulator
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["replay", "gesture", "nope"], "nope: no such recording of gesture; there are e.g. punch/001"),
        (["replay", "gesture", "punch/001", "--window", "1"], "--window=1: punch/001 has windows 0 to 0; choose"),
        (["build", "gesture", "--target", "all"], "--target: name one target; run all with `pytest --board=emulated"),
        (["replay", "gesture", "punch/001", "--variant", "int4"], "--variant=int4: no such variant"),
        (["build", "wave"], "unknown model wave; models/ has gesture"),
        (["build", "gesture", "--target", "z80"], "unknown target z80; choose "),
    ],
)
def test_what_does_not_exist_is_one_line(arguments: list[str], message: str) -> None:
    result = hil(*arguments)
    assert result.returncode == 1
    assert result.stderr.startswith(f"hil: {message}")
    assert len(result.stderr.strip().splitlines()) == 1


@needs_compiler
def test_it_works_in_a_subdirectory() -> None:
    result = hil("inspect", "gesture", cwd=ROOT / "models" / "gesture")
    assert result.returncode == 0
    assert "FULLY_CONNECTED" in result.stdout


def test_version() -> None:
    result = hil("--version")
    assert result.returncode == 0
    assert result.stdout == f"tflm-hil {importlib.metadata.version('tflm-hil')}\n"


def test_outside_of_a_project_it_says_so(tmp_path: Path) -> None:
    result = hil("build", "gesture", cwd=tmp_path)
    assert result.returncode == 1
    assert "or platformio.ini here or in a folder above; `hil init`" in result.stderr

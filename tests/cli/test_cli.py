"""The `hil` command as its users type it."""

from __future__ import annotations

import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.hil_command import ROOT, hil
from support.needs import needs_compiler, needs_emulator
from tflm_hil.cli.app import COMMANDS, app
from tflm_hil.lab.fleet import FOLDER, ActivityFile
from typer.testing import CliRunner


@needs_emulator
def test_run_shows_both_sides_of_one_window_whole_however_narrow_the_terminal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    result = hil("run", "gesture", "continuous_1", "--window", "7")
    assert result.returncode == 0
    (row,) = [line for line in result.stdout.splitlines() if line.strip().startswith("7 ")]
    assert "yes" in row
    assert row.count("[") == 2
    assert row.split()[1] == "flex"


@needs_compiler
def test_build_shows_sizes_and_the_build_id() -> None:
    result = hil("build", "gesture", "--variant", "float32")
    assert result.returncode == 0
    assert ".link_buffers" in result.stdout
    assert "build id " in result.stdout


@needs_emulator
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "gesture", "nope"], "nope: no such recording of gesture; there are e.g. punch/001"),
        (["run", "gesture", "punch/001", "--window", "1"], "--window=1: punch/001 has windows 0 to 0; choose"),
        (
            ["run", "gesture", "punch/001", "--board=/dev/null,COM3"],
            "--board: name one board; several share the work of",
        ),
        (["build", "gesture", "--target", "all"], "--target: name one target; run all with `pytest --board=emulated"),
        (["run", "gesture", "punch/001", "--variant", "int4"], "--variant=int4: no such variant"),
        (["debug", "wave", "--window", "0"], "--window=0: of no recording; name one after wave, or leave the"),
        (["build", ""], "unknown model ; models/ has five_gestures"),
        (["build", "wave"], "unknown model wave; models/ has five_gestures"),
        (["build", "gesture", "--target", "z80"], "unknown target z80; choose "),
        (["build", "gesture", "--target", ""], "unknown target ; choose "),
        (["build", "gesture", "--engine", ""], "unknown engine ; choose "),
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


@pytest.mark.nightly  # links another firmware
@needs_compiler
def test_a_network_is_inspected_and_targets_are_listed_without_a_project(tmp_path: Path) -> None:
    shutil.copy(ROOT / "examples/wave/models/wave/wave_int8.tflite", tmp_path)
    result = hil("inspect", "wave_int8.tflite", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "FULLY_CONNECTED" in result.stdout
    assert "flash" in result.stdout, "it is linked, too"
    assert "stm32f4" in hil("targets", cwd=tmp_path).stdout
    assert [path.name for path in tmp_path.iterdir()] == ["wave_int8.tflite"], "nothing is left behind"


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_each_command_has_an_example(command: str) -> None:
    result = hil(command, "--help")
    assert result.returncode == 0
    assert re.search(rf"Examples?: .*hil( \$?\(?hil)? ?{command}", result.stdout.replace("\n", " "))


def test_a_command_that_is_mistyped_is_guessed() -> None:
    result = hil("inspct")
    assert result.returncode == 2
    assert "Did you mean 'inspect'" in result.stderr


def test_a_command_does_without_what_only_others_import() -> None:
    """All commands together take half a second to import, most of it numpy."""
    program = "import sys; from tflm_hil.cli.app import app; app(['path'], standalone_mode=False); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert "tflm_hil.cli.path" in loaded
    assert "numpy" not in loaded


def test_the_fleet_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "hil.toml").write_text('schema = "hil-project/1"\n')
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(app, ["fleet"]).output == "no board is in use in this project\n"
    file = ActivityFile(tmp_path / FOLDER, "/dev/ttyACM0")
    assert "waits for work" in CliRunner().invoke(app, ["fleet"]).output
    file.begin("gesture-int8", "punch/003")
    shown = CliRunner().invoke(app, ["fleet"]).output
    assert re.search(rf"/dev/ttyACM0 +gesture-int8 +punch/003 .* {os.getpid()} ", shown)

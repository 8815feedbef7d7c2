"""`hil debug` and a real GDB, which does what the printed line says."""

from __future__ import annotations

import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support import simulated_probe
from support.emulated_image import build
from support.hil_command import ROOT, hil
from support.needs import needs_emulator
from support.targets import TARGETS
from tflm_hil.boards.flashers.gdb_server import ProbeGdbServer
from tflm_hil.boards.flashers.methods import flasher
from tflm_hil.boards.flashers.tool import Place
from tflm_hil.commands.debug import gdb_command
from tflm_hil.progress import silent
from tflm_hil.targets.flash import FlashSettings, OpenOcdSettings, PyOcdSettings

needs_gdb = pytest.mark.skipif(shutil.which("gdb-multiarch") is None, reason="needs gdb-multiarch: run `make test`")

# Written before the program runs, on the way to the first window.
STEPS = [
    "-batch",
    "-ex",
    "break hil_windows_samples",
    "-ex",
    "continue",
    "-ex",
    "backtrace",
    "-ex",
    "delete",
    "-ex",
    "detach",
]


@contextmanager
def debugging(*arguments: str, cwd: Path = ROOT) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Run `hil debug`; yield the command line that it prints, and the process."""
    argv = [str(Path(sys.executable).with_name("hil")), "debug", *arguments]
    with subprocess.Popen(argv, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        try:
            said = []
            for line in process.stdout:
                said.append(line)
                if "target remote" in line:
                    break
            assert "target remote" in said[-1], "".join(said)
            yield said[-1].strip(), process
        finally:
            process.kill()


def gdb(command: str, *steps: str) -> str:
    done = subprocess.run(f"{command} {shlex.join(steps)}", shell=True, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


@pytest.mark.nightly  # GDB takes seconds
@needs_emulator
@needs_gdb
def test_the_emulated_program_waits_for_gdb_and_is_fed_while_it_is_debugged() -> None:
    with debugging("gesture", "punch/017", "--window", "0") as (command, process):
        server = Path(re.findall(r"target remote (\S+?)\'", command)[0])
        assert server.is_socket()
        said = gdb(command, *STEPS)
        assert re.search(r"Temporary breakpoint \d+, main \(\)", said)
        assert re.search(r"#0 +hil_windows_samples .*\n(#.*\n)*#\d+ .*main \(\)", said)
        assert "fault_entry" in command
        assert process.stdout is not None
        rest = iter(process.stdout.readline, "")
        assert any(line == "punch/017: 1 windows are answered\n" for line in rest)
        process.send_signal(signal.SIGINT)
        assert process.wait() == 0
        assert not server.parent.exists()


@needs_emulator
@needs_gdb
@pytest.mark.nightly  # the same once more, with another end
def test_it_ends_when_gdb_kills_the_program() -> None:
    with debugging("gesture") as (command, process):
        gdb(command, "-batch", "-ex", "kill")
        assert process.wait() == 0
        assert process.stdout is not None
        assert "the GDB server has ended" in process.stdout.read()


@needs_emulator
@pytest.mark.nightly  # the same once more, with another end
def test_its_end_is_not_told_as_a_line_that_broke() -> None:
    with debugging("gesture", "punch/017") as (_, process):
        assert process.stdout is not None
        assert "waiting for the program to run\n" in iter(process.stdout.readline, "")
        process.send_signal(signal.SIGINT)
        assert process.stdout.read() == ""
        assert process.wait() == 0


@needs_emulator
def test_what_cannot_be_debugged_is_one_line() -> None:
    result = hil("debug", "gesture", "--board", "replay:nope")
    assert (result.returncode, result.stderr.count("\n")) == (1, 1)
    assert result.stderr.startswith("hil: nope: cannot be read")


@needs_emulator
@needs_gdb
@pytest.mark.nightly  # Tools that take seconds to start; their command lines are tested in tests/boards.
@pytest.mark.parametrize("tool", ["openocd", "pyocd"])
def test_a_chip_is_debugged_through_the_probe_that_flashes_it(tmp_path: Path, tool: str) -> None:
    if tool == "openocd" and shutil.which(tool) is None:
        pytest.skip(f"needs {tool}")
    nrf51 = TARGETS["nrf51"]
    image = build(nrf51)
    with simulated_probe.running() as probe:
        (tmp_path / "probe.cfg").write_text(f"set PROBE {probe.openocd}\n")
        settings: FlashSettings = PyOcdSettings(chip="nrf51", probe=f"remote:localhost:{probe.pyocd}")
        if tool == "openocd":
            settings = OpenOcdSettings(config=["probe.cfg", str(simulated_probe.CONFIG)])
        place = Place(probe.terminal, probe.terminal, tmp_path / "hil-boards.toml", tmp_path)
        flasher(settings, place).flash(image, silent)
        server = ProbeGdbServer(settings, place, nrf51.uart)
        try:
            # The simulated chip has no breakpoints, so look at where it was halted instead of running it.
            command = gdb_command(image, server).partition("-ex 'break ")[0]
            said = gdb(command, "-batch", "-ex", "info symbol $pc", "-ex", "x/2xw 0")
        finally:
            server.close()
        assert "startup_reset in section .text" in said
        assert re.search(r"^0x0 .*:\t0x20001000\t0x0000", said, re.MULTILINE)
        assert server.ended(0.0)

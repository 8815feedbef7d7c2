"""A lab of labgrid's own programs on this machine, and runs of the suite that share its board."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import fake_board, ser2net
from support.lab import LABGRID, READY_S
from support.needs import needs_emulator
from support.plugin_helpers import ROOT, SUITE
from support.targets import STM32F4
from tflm_hil.engines.aot.engine import AotEngine
from tflm_hil.firmware.project import FirmwareProject
from tflm_hil.models.manifest import load_models
from tflm_hil.processes import die_with_parent

# Each starts five Pythons and more, which takes some seconds.
pytestmark = [
    pytest.mark.nightly,
    needs_emulator,  # for the compiler: the image's build id is what the harness asks a board for
    pytest.mark.skipif(not LABGRID.is_dir(), reason=f"{LABGRID} is missing: run .ci/setup"),
    pytest.mark.skipif(ser2net.PROGRAM is None, reason="ser2net is not installed: apt-get install ser2net"),
]
PYSERIAL_LABGRID = Path(sys.prefix) / "pyserial-labgrid"
RUN_S = 120.0
NOBODY = "None"
HOLD = """
from support.targets import STM32F4
from tflm_hil.boards.labgrid.line import PlaceLine
from tflm_hil.boards.labgrid.request import parse
from tflm_hil.boards.spec import parse as parse_spec

line = PlaceLine(parse(parse_spec("labgrid:desk", ["labgrid"])), STM32F4.uart)
line.acquire(lambda _text: None)
print("held", flush=True)
input()
line.release()
"""


class Lab:
    """labgrid's coordinator and an exporter of a fake board, which is at the place `desk`; in `folder`."""

    def __init__(self, folder: Path, terminal: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            self.address = f"127.0.0.1:{server.getsockname()[1]}"
        self.folder = folder
        self.environment = os.environ | {
            "PYTHONPATH": os.pathsep.join([str(LABGRID), str(ROOT / "tests")]),
            "LG_COORDINATOR": self.address,
            "XDG_STATE_HOME": str(folder / "state"),
        }
        (folder / "exporter.yaml").write_text(f"desk:\n  console:\n    cls: RawSerialPort\n    port: {terminal}\n")
        self._processes: list[subprocess.Popen[str]] = []
        self.coordinator = self._start("Coordinator ready", "coordinator", "-l", self.address)
        self.client("-p", "desk", "create")
        self.client("-p", "desk", "add-match", "*/desk/*")
        self.exporter = self.start_exporter()

    def start_exporter(self) -> subprocess.Popen[str]:
        options = ("-n", "bench", "--hostname", "127.0.0.1", "exporter.yaml")
        return self._start("creating poll task", "exporter", *options)

    def _start(self, ready: str, program: str, *options: str) -> subprocess.Popen[str]:
        """Start a program of labgrid in a process group of its own, and wait until it is ready."""
        process = subprocess.Popen(
            [sys.executable, "-u", "-m", f"labgrid.remote.{program}", *options],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            process_group=0,
            preexec_fn=die_with_parent(),
        )
        self._processes.append(process)
        assert process.stdout is not None
        watchdog = threading.Timer(READY_S, process.kill)
        watchdog.start()
        ready_in = next((line for line in process.stdout if ready in line), None)
        watchdog.cancel()
        assert ready_in, f"labgrid's {program} does not get ready"
        return process

    def client(self, *arguments: str) -> str:
        argv = [sys.executable, "-m", "labgrid.remote.client", *arguments]
        return subprocess.run(
            argv, env=self.environment, capture_output=True, text=True, check=True, timeout=READY_S
        ).stdout

    def holder(self) -> str:
        return re.search(r"acquired: (\S+)", self.client("-p", "desk", "show"))[1]  # type: ignore[index]

    def wait_until_streaming(self, name: str) -> None:
        """Wait until the run has sent something to the device."""
        until = time.monotonic() + RUN_S
        while not any(log.stat().st_size for log in (self.folder / name / "uart").glob("*.log")):
            assert time.monotonic() < until, "the run does not begin to stream"
            time.sleep(0.05)

    def run(self, board: str, serial: str = "pyserial", name: str = "run") -> subprocess.Popen[str]:
        """Start the suite on `board`; its results go to the folder `name`."""
        options = [f"--board={board}", "--hil-flash=never", f"--hil-report={self.folder / name}"]
        which = ["--hil-model=gesture", "--hil-engine=aot", "-k", "int8", "-p", "no:cacheprovider"]
        return self.popen("-m", "pytest", str(SUITE), *options, *which, serial=serial)

    def popen(self, *arguments: str, serial: str = "pyserial") -> subprocess.Popen[str]:
        """Start Python with labgrid on its path."""
        environment = dict(self.environment)
        if serial == "pyserial-labgrid":
            environment["PYTHONPATH"] += os.pathsep + str(PYSERIAL_LABGRID)
        return subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            process_group=0,
            preexec_fn=die_with_parent(),
        )

    def close(self) -> None:
        for process in self._processes:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()


def check_pass(output: str) -> None:
    assert "6 passed, 2 skipped" in output, output  # budgets and repeatability count instructions


@pytest.fixture(scope="module")
def build_id() -> bytes:
    return FirmwareProject(ROOT / ".hil").build(load_models(ROOT)["gesture"], "int8", AotEngine(), STM32F4).build_id


@pytest.fixture
def lab(build_id: bytes, tmp_path: Path) -> Iterator[Lab]:
    with fake_board.running("gesture", "int8", build_id) as terminal:
        lab = Lab(tmp_path, terminal)
        yield lab
        lab.close()


@pytest.mark.parametrize("serial", ["pyserial", "pyserial-labgrid"])
def test_the_suite_passes_through_the_lab(lab: Lab, serial: str) -> None:
    output, _ = lab.run("labgrid:desk", serial=serial).communicate(timeout=RUN_S)
    check_pass(output)
    assert "hil: board labgrid:desk (stm32f4)" in output
    assert lab.holder() == NOBODY


def test_two_runs_share_a_board_one_after_the_other(lab: Lab) -> None:
    runs = [lab.run("labgrid:desk?wait=120", name=name) for name in ("first", "second")]
    for run in runs:
        check_pass(run.communicate(timeout=RUN_S)[0])
    assert lab.holder() == NOBODY


def test_a_run_that_does_not_wait_long_enough_says_who_has_the_board(lab: Lab) -> None:
    (lab.folder / "hold.py").write_text(HOLD)
    with lab.popen(str(lab.folder / "hold.py")) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        output, _ = lab.run("labgrid:desk?wait=1").communicate(timeout=RUN_S)
        other.communicate("\n")
    assert "board labgrid:desk: place desk was not free for 1 s: desk: another run of yours on this machine" in output
    assert f"(process {other.pid})" in output


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_interrupted_releases_the_board(lab: Lab, number: signal.Signals) -> None:
    run = lab.run("labgrid:desk")
    lab.wait_until_streaming("run")
    run.send_signal(number)
    assert "KeyboardInterrupt" in run.communicate(timeout=RUN_S)[0]
    assert lab.holder() == NOBODY


def test_a_run_that_is_killed_leaves_the_board_free(lab: Lab) -> None:
    killed = lab.run("labgrid:desk", name="killed")
    lab.wait_until_streaming("killed")
    killed.kill()
    killed.communicate()
    check_pass(lab.run("labgrid:desk").communicate(timeout=RUN_S)[0])
    assert lab.holder() == NOBODY


def test_what_a_run_has_left_that_was_killed_with_its_keeper_is_taken_over_by_who_asks_for_it(lab: Lab) -> None:
    killed = lab.run("labgrid:desk", name="killed")
    lab.wait_until_streaming("killed")
    keepers = map(int, Path(f"/proc/{killed.pid}/task/{killed.pid}/children").read_text().split())
    for pid in (*keepers, killed.pid):
        os.kill(pid, signal.SIGKILL)
    killed.communicate()
    assert lab.holder() != NOBODY
    refused, _ = lab.run("labgrid:desk").communicate(timeout=RUN_S)
    assert (
        f"a run of yours that was killed has left it acquired (process {killed.pid}); to take it over, run" in refused
    )
    check_pass(lab.run("labgrid:desk?takeover=yes").communicate(timeout=RUN_S)[0])
    assert lab.holder() == NOBODY


def test_an_exporter_that_is_killed_with_all_its_host_fails_tests_with_one_line_each(lab: Lab) -> None:
    run = lab.run("labgrid:desk")
    lab.wait_until_streaming("run")
    os.killpg(lab.exporter.pid, signal.SIGKILL)  # and its ser2net
    output, _ = run.communicate(timeout=RUN_S)
    assert "labgrid:desk: the serial line broke: " in output
    assert ": the exporter of place desk has gone: start it again" in output
    assert "Traceback" not in output
    assert lab.holder() == NOBODY
    lab.start_exporter()
    check_pass(lab.run("labgrid:desk").communicate(timeout=RUN_S)[0])

"""A lab of labgrid's own programs on this machine, and runs of the suite that share its board."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
from support import fake_board, ser2net, simulated_probe, ssh_server
from support.lab import LABGRID, READY_S
from support.needs import needs_emulator
from support.plugin_helpers import ROOT, SUITE, Hil
from support.targets import STM32F4
from tflm_hil.boards.counters import CycleCounter
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
PAGE = (ROOT / "docs" / "remote.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^    (labgrid-(?:coordinator|exporter|client) -[lcx] .*)", PAGE, re.MULTILINE)
PYSERIAL_LABGRID = Path(sys.prefix) / "pyserial-labgrid"
RUN_S = 120.0
NOBODY = "None"
CONSOLE = """
  console:
    cls: RawSerialPort
    port: {}
"""
PROBE = """
  probe:
    cls: NetworkUSBDebugger
    host: exporter
    busnum: 1
    devnum: 1
    path: '1-1'
    vendor_id: 0x0483
    model_id: 0x374B
"""
POWER = """
  power:
    cls: NetworkPowerPort
    model: rest
    host: http://127.0.0.1:{}/{{index}}
    index: 3
"""
BOARD = """
schema = "hil-boards/1"
[boards.lab]
port = "labgrid:desk"
target = "nrf51"
[boards.lab.flash]
method = "openocd"
config = ["probe.cfg", "{config}"]
"""
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
    """What docs/remote.md sets up, with `resources` at the place `desk`; in `folder`."""

    def __init__(self, folder: Path, resources: str, path: str = os.environ["PATH"], *options: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            self.address = f"127.0.0.1:{server.getsockname()[1]}"
        self.folder = folder
        self._commands = [shlex.split(line.replace("127.0.0.1:20408", self.address)) for line in COMMANDS]
        self._options = options
        self.environment = os.environ | {
            "PYTHONPATH": os.pathsep.join([str(LABGRID), str(ROOT / "tests")]),
            "PYTHONUNBUFFERED": "1",
            "PATH": os.pathsep.join([str(LABGRID / "bin"), path]),
            "LG_COORDINATOR": self.address,
            "XDG_STATE_HOME": str(folder / "state"),
        }
        (folder / "exporter.yaml").write_text(f"desk:\n{resources}")
        self._processes: list[subprocess.Popen[str]] = []
        self._start("Coordinator ready", "labgrid-coordinator")
        self.exporter = self.start_exporter()
        for program, *arguments in self._commands:
            if program == "labgrid-client":
                self.client(*arguments)

    def start_exporter(self) -> subprocess.Popen[str]:
        return self._start("creating poll task", "labgrid-exporter", *self._options)

    def _start(self, ready: str, program: str, *options: str) -> subprocess.Popen[str]:
        """Start a program as the page says, in a process group of its own, and wait until it is ready."""
        command = next(command for command in self._commands if command[0] == program)
        process = subprocess.Popen(
            [*command, *options],
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
        found = any(ready in line for line in process.stdout)
        watchdog.cancel()
        assert found, f"{program} does not get ready"
        return process

    def client(self, *arguments: str) -> str:
        argv = ["labgrid-client", *arguments]
        return subprocess.run(
            argv, env=self.environment, capture_output=True, text=True, check=True, timeout=READY_S
        ).stdout

    def holder(self) -> str:
        return re.search(r"acquired: (\S+)", self.client("-p", "desk", "show"))[1]  # type: ignore[index]

    def wait_until_streaming(self, name: str) -> None:
        """Wait until the run streams to the device: what it says before is a few lines of the log."""
        until = time.monotonic() + RUN_S
        while not any(log.stat().st_size > 2000 for log in (self.folder / name / "uart").glob("*.log")):
            assert time.monotonic() < until, "the run does not begin to stream"
            time.sleep(0.05)

    def run(self, board: str, *more: str, serial: str = "pyserial", name: str = "run") -> subprocess.Popen[str]:
        """Start the suite on `board`; its results go to the folder `name`."""
        options = [f"--board={board}", "--hil-flash=never", f"--hil-report={self.folder / name}"]
        which = ["--hil-model=gesture", "--hil-engine=aot", "-k", "int8", "-p", "no:cacheprovider"]
        return self.popen("-m", "pytest", str(SUITE), *options, *which, *more, serial=serial)

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
        lab = Lab(tmp_path, CONSOLE.format(terminal))
        yield lab
        lab.close()


def test_the_lab_of_the_page_is_what_the_page_says(lab: Lab) -> None:
    """Its configuration of the exporter and its last command, too."""
    resources = re.search(r"`exporter\.yaml`.*?```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert resources is not None
    written = (lab.folder / "exporter.yaml").read_text()
    terminal = re.search(r"port: (\S+)", written)[1]  # type: ignore[index]
    assert resources[1].partition("#")[0].replace("/dev/ttyACM0", terminal).split() == written.split()
    assert len(COMMANDS) == 5
    assert "kind=nucleo" in lab.client("-p", "desk", "show")
    board = re.search(r"^    pytest --board='(labgrid:desk\?coordinator=.*)'$", PAGE, re.MULTILINE)[1]  # type: ignore[index]
    check_pass(lab.run(board.replace("127.0.0.1:20408", lab.address)).communicate(timeout=RUN_S)[0])


@pytest.mark.parametrize("serial", ["pyserial", "pyserial-labgrid"])
def test_the_suite_passes_through_the_lab(lab: Lab, serial: str) -> None:
    output, _ = lab.run("labgrid:desk", serial=serial).communicate(timeout=RUN_S)
    check_pass(output)
    assert "hil: board labgrid:desk (stm32f4)" in output
    assert lab.holder() == NOBODY


def test_two_workers_find_but_one_board(lab: Lab) -> None:
    for board in ("labgrid:desk", "labgrid:kind=nucleo"):
        output, _ = lab.run(board, "-n", "2").communicate(timeout=RUN_S)
        assert f"ERROR: -n 2: {board}: 1 board, which one process can have at a time: leave -n out" in output


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


def test_a_blank_chip_is_flashed_by_the_exporters_probe(
    tmp_path: Path, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Real SSH, labgrid's OpenOCD driver, OpenOCD, and an emulated nRF51 behind a simulated probe."""
    if shutil.which("openocd") is None:
        pytest.skip("openocd is not installed: apt-get install openocd")
    monkeypatch.setattr(CycleCounter, "check", lambda _self, _info: None)  # An emulator counts no cycles.
    (tmp_path / "ssh").mkdir()
    with simulated_probe.running() as probe, ssh_server.serving(tmp_path / "ssh") as ssh:
        lab = Lab(tmp_path, CONSOLE.format(probe.terminal) + PROBE, f"{ssh}{os.pathsep}{os.environ['PATH']}")
        for name, value in lab.environment.items():
            monkeypatch.setenv(name, value)
        folder = tmp_path / "config" / "tflm-hil"
        folder.mkdir(parents=True)
        monkeypatch.setenv("XDG_CONFIG_HOME", str(folder.parent))
        (folder / "probe.cfg").write_text(f"set PROBE {probe.openocd}\n")
        (folder / "hil-boards.toml").write_text(BOARD.format(config=simulated_probe.CONFIG))
        hil = Hil(pytester, monkeypatch)
        hil(SUITE, "--board=lab", "-k", "int8").assert_outcomes(passed=6, skipped=2)
        assert lab.holder() == NOBODY
        lab.close()


def test_an_isolated_exporter_is_reached_through_ssh(build_id: bytes, tmp_path: Path) -> None:
    (tmp_path / "ssh").mkdir()
    with (
        fake_board.running("gesture", "int8", build_id) as terminal,
        ssh_server.serving(tmp_path / "ssh") as ssh,
    ):
        lab = Lab(tmp_path, CONSOLE.format(terminal), f"{ssh}{os.pathsep}{os.environ['PATH']}", "--isolated")
        check_pass(lab.run("labgrid:desk").communicate(timeout=RUN_S)[0])
        assert lab.holder() == NOBODY
        lab.close()
    assert "Starting session" in (tmp_path / "ssh" / "sshd.log").read_text()


class Switch(BaseHTTPRequestHandler):
    """A power switch that remembers what it was told."""

    told: ClassVar[list[tuple[str, bytes]]] = []

    def do_PUT(self) -> None:
        self.told.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.end_headers()


def test_a_board_that_nothing_else_resets_is_switched_off_and_on(tmp_path: Path) -> None:
    master, slave = os.openpty()
    with ThreadingHTTPServer(("127.0.0.1", 0), Switch) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        lab = Lab(tmp_path, CONSOLE.format(os.ttyname(slave)) + POWER.format(server.server_port))
        output, _ = lab.run("labgrid:desk").communicate(timeout=RUN_S)
        lab.close()
        server.shutdown()
    os.close(master)
    os.close(slave)
    assert "labgrid:desk is silent" in output
    assert Switch.told[:2] == [("/3", b"0"), ("/3", b"1")]

"""Real tools flash emulated chips: from blank to a device that answers, and to a suite that passes."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import numpy as np
import pytest
from intelhex import IntelHex
from support import fake_board, simulated_probe
from support.emulated_image import SPIN, build, run
from support.firmware_helpers import MODEL_SHA256
from support.needs import needs_emulator
from support.plugin_helpers import ROOT, SUITE, Hil, read_results
from support.processes import ends
from support.simulated_probe import SimulatedProbe
from support.targets import STM32F4, TARGETS
from support.tiny_elf import write_tiny_elf
from tflm_hil import processes
from tflm_hil.boards.counters import CycleCounter
from tflm_hil.boards.flashers.image_files import write_bin, write_hex
from tflm_hil.boards.flashers.methods import flasher
from tflm_hil.boards.flashers.tool import Place
from tflm_hil.boards.serial import reset
from tflm_hil.boards.serial.board import SerialBoard, SerialLine
from tflm_hil.cli.app import app
from tflm_hil.configuration import load_configuration
from tflm_hil.device.client import Client
from tflm_hil.device.identity import Layout
from tflm_hil.device.messages import FaultKind
from tflm_hil.device.uart_log import UartLog
from tflm_hil.engines.aot.engine import AotEngine
from tflm_hil.engines.external.application import load_application
from tflm_hil.engines.external.engine import ExternalEngine
from tflm_hil.errors import DeviceError, HilError
from tflm_hil.firmware.image import FirmwareImage
from tflm_hil.firmware.project import FirmwareProject
from tflm_hil.lab.contact import Contact
from tflm_hil.lab.dut import DeviceUnderTest
from tflm_hil.lab.options import Flash
from tflm_hil.models.manifest import load_models
from tflm_hil.progress import silent
from tflm_hil.targets import Target
from tflm_hil.targets.flash import FlashSettings, GdbSettings, OpenOcdSettings, PlatformIoSettings, PyOcdSettings
from typer.testing import CliRunner

NRF51 = TARGETS["nrf51"]
FLOATS = ((np.dtype(np.float32), 2),)
LAYOUT = Layout(1, 1, 2, FLOATS, FLOATS)

pytestmark = needs_emulator


def needs(tool: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(tool) is None, reason=f"needs {tool}")


@pytest.fixture(scope="module")
def image() -> FirmwareImage:
    return build(NRF51)


@pytest.fixture(autouse=True)
def _as_in_emulation(monkeypatch: pytest.MonkeyPatch) -> None:
    """A blank chip is reset in every way that there is. The emulator counts no cycles, and has the port open, too."""
    monkeypatch.setattr(SerialLine, "trouble", lambda _self: "")
    monkeypatch.setattr(CycleCounter, "check", lambda _self, _info: None)
    monkeypatch.setattr(reset, "BOOT_S", 0.3)
    monkeypatch.setattr(reset, "PULSE_S", 0.0)


@pytest.fixture
def probe() -> Iterator[SimulatedProbe]:
    with simulated_probe.running() as probe:
        yield probe


def through_openocd(probe: SimulatedProbe, folder: Path) -> OpenOcdSettings:
    (folder / "probe.cfg").write_text(f"set PROBE {probe.openocd}\n")
    return OpenOcdSettings(config=["probe.cfg", str(simulated_probe.CONFIG)])


def through_pyocd(probe: SimulatedProbe, _folder: Path) -> PyOcdSettings:
    return PyOcdSettings(chip="nrf51", probe=f"remote:localhost:{probe.pyocd}")


def board_at(port: str, target: Target, settings: FlashSettings, folder: Path) -> SerialBoard:
    place = Place(port, port, folder / "hil-boards.toml", folder)
    return SerialBoard(port, target, tool=flasher(settings, place))


class Bench:
    """A board, and sessions with it in which it is to run an image."""

    def __init__(self, board: SerialBoard, log: Path) -> None:
        self._board = board
        self._log = log
        self._contact = Contact()
        self.said: list[str] = []

    @contextmanager
    def session(self, image: FirmwareImage, flash: Flash = Flash.AUTO) -> Iterator[DeviceUnderTest]:
        firmware: Any = SimpleNamespace(image=image, variant=SimpleNamespace(sha256=MODEL_SHA256), name="image")
        with self._contact.connected(self._board, firmware, LAYOUT, self._log, flash, say=self.said.append) as device:
            yield device


def answers(device: DeviceUnderTest) -> bool:
    amounts = [np.frombuffer(result.outputs, np.float32)[1] for result in run(device.client, (SPIN, 1), (SPIN, 2))]
    return amounts == [1.0, 2.0]


def test_an_image_becomes_the_files_that_objcopy_makes(image: FirmwareImage, tmp_path: Path) -> None:
    file, start = write_bin(image, tmp_path)
    assert (file.read_bytes(), start) == (image.bin.read_bytes(), 0)
    theirs = tmp_path / "theirs.hex"
    subprocess.run(["arm-none-eabi-objcopy", "-O", "ihex", image.elf, theirs], check=True)
    assert IntelHex(str(write_hex(image, tmp_path))).todict() == {
        address: byte for address, byte in IntelHex(str(theirs)).todict().items() if address != "start_addr"
    }


@pytest.mark.nightly  # 10 s; pyOCD flashes one every time
@needs("openocd")
def test_openocd_flashes_a_blank_chip_once_and_resets_one_that_hangs(
    probe: SimulatedProbe, image: FirmwareImage, tmp_path: Path
) -> None:
    board = board_at(probe.terminal, NRF51, through_openocd(probe, tmp_path), tmp_path)
    bench = Bench(board, tmp_path / "uart.log")
    with bench.session(image) as device:
        assert answers(device)
    log = tmp_path / "flash.log"
    assert re.search(r"^verified \d+ bytes", log.read_text(), re.MULTILINE)
    log.unlink()
    with bench.session(image) as device:
        device.client.fault(FaultKind.HANG)
    with bench.session(image) as device:
        assert answers(device)
    assert not log.exists()
    board.close()


def test_pyocd_flashes_a_blank_chip(probe: SimulatedProbe, image: FirmwareImage, tmp_path: Path) -> None:
    board = board_at(probe.terminal, NRF51, through_pyocd(probe, tmp_path), tmp_path)
    bench = Bench(board, tmp_path / "uart.log")
    with bench.session(image, Flash.ALWAYS) as device:
        assert answers(device)
    board.close()


@contextmanager
def blank_stm32f4() -> Iterator[tuple[str, str]]:
    """Yield the terminal and the address of the GDB server of a QEMU that would end if it ran before it was flashed."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        descriptor = server.fileno()
        argv = ["qemu-system-arm", "-M", "netduinoplus2", "-S", "-display", "none", "-nodefaults"]
        argv += ["-serial", "null", "-serial", "pty", "-gdb", "chardev:gdb"]
        argv += ["-chardev", f"socket,id=gdb,fd={descriptor},server=on,wait=off"]
        with subprocess.Popen(
            argv, stdout=subprocess.PIPE, text=True, pass_fds=[descriptor], preexec_fn=processes.die_with_parent()
        ) as qemu:
            assert qemu.stdout is not None
            found = re.search(r"/dev/\S+", qemu.stdout.readline())
            assert found is not None
            try:
                yield found[0], f"localhost:{server.getsockname()[1]}"
            finally:
                qemu.kill()


@pytest.mark.nightly  # pyOCD flashes a chip every time
@needs("gdb-multiarch")
def test_gdb_flashes_an_emulated_stm32f4(tmp_path: Path) -> None:
    image = FirmwareProject(ROOT / ".hil").build(load_models(ROOT)["gesture"], "int8", AotEngine(), STM32F4)
    with blank_stm32f4() as (terminal, address):
        board = board_at(terminal, STM32F4, GdbSettings(server="qemu", address=address), tmp_path)
        board.flash(image)
        with UartLog(tmp_path / "uart.log") as log:
            assert Client(board.connect(), log).hello().build_id == image.build_id
        board.close()
    compared = re.findall(r"^Section (\S+), range .*: (.*)\.$", (tmp_path / "flash.log").read_text(), re.MULTILINE)
    assert compared == [(".text", "matched"), (".data", "matched"), (".note.gnu.build-id", "matched")]


@contextmanager
def boards_file(folder: Path, probe: SimulatedProbe, flash: str) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(folder))
        file = folder / "tflm-hil" / "hil-boards.toml"
        file.parent.mkdir()
        table = f'[boards.simulated]\nport = "{probe.terminal}"\ntarget = "nrf51"\nflash = {{ {flash} }}\n'
        file.write_text(f'schema = "hil-boards/1"\n{table}')
        yield


@pytest.mark.nightly  # a whole suite over a slow line, for each tool
@pytest.mark.parametrize("tool", ["pyocd", pytest.param("openocd", marks=needs("openocd"))])
def test_a_board_of_the_users_file_goes_from_blank_to_a_suite_that_passes(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, probe: SimulatedProbe, tmp_path: Path, tool: str
) -> None:
    if tool == "pyocd":
        flash = f'method = "pyocd", chip = "nrf51", probe = "remote:localhost:{probe.pyocd}"'
    else:
        (tmp_path / "probe.cfg").write_text(f"set PROBE {probe.openocd}\n")
        flash = f'method = "openocd", config = ["{tmp_path}/probe.cfg", "{simulated_probe.CONFIG}"]'
    hil = Hil(pytester, monkeypatch)
    with boards_file(tmp_path, probe, flash):
        hil(SUITE, "--board=simulated", "-k", "int8").assert_outcomes(passed=6, skipped=2)
        (run,) = read_results(pytester).runs
        assert (run.target, run.emulator, run.verdict) == ("nrf51", None, "pass")
        (log,) = (pytester.path / "reports" / "board").rglob("flash.log")
        log.unlink()
        hil(SUITE, "--board=simulated", "-k", "int8 and punch").assert_outcomes(passed=1)
        assert not log.exists()  # The board runs this very build.
        monkeypatch.chdir(ROOT)
        flashed = CliRunner().invoke(app, ["flash", "gesture", "--board", "simulated"])
        assert re.fullmatch(r"simulated runs gesture-int8-aot-nrf51, build [0-9a-f]{40}\n", flashed.stdout)
        refused = CliRunner().invoke(app, ["flash", "gesture", "--board", "emulated"])
        assert str(refused.exception) == "board emulated is emulated and keeps no image; connect a board, or name one"


def refusal(settings: FlashSettings, image: FirmwareImage, folder: Path) -> str:
    board = board_at(str(folder / "ttyACM0"), NRF51, settings, folder)
    with pytest.raises(HilError) as caught:
        board.flash(image)
    return str(caught.value)


@needs("openocd")
def test_openocd_reads_what_our_targets_have_and_looks_for_the_probe(image: FirmwareImage, tmp_path: Path) -> None:
    for target in TARGETS.values():
        if isinstance(target.flash, OpenOcdSettings):
            nobodys = msgspec.structs.replace(target.flash, probe="999999999")
            assert "openocd: found no debug probe: connect it" in refusal(nobodys, image, tmp_path)


@pytest.mark.nightly  # waits for a tool that hangs
@needs("openocd")
def test_openocd_with_a_mute_probe_is_killed(image: FirmwareImage, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        (tmp_path / "probe.cfg").write_text(f"set PROBE {mute.getsockname()[1]}\n")
        settings = OpenOcdSettings(config=["probe.cfg", str(simulated_probe.CONFIG)], timeout_s=1)
        assert "openocd: it was killed after 1 s and said: Info : " in refusal(settings, image, tmp_path)


@pytest.mark.nightly  # starts pyOCD, which takes a second, three times
def test_pyocd_without_its_probe_with_one_that_leaves_and_with_an_image_of_another_chip(
    probe: SimulatedProbe, image: FirmwareImage, tmp_path: Path
) -> None:
    settings = PyOcdSettings(chip="nrf51", probe="no-such-probe")
    assert "pyocd: found no debug probe: connect it" in refusal(settings, image, tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=lambda: server.accept()[0].recv(1), daemon=True).start()
        settings = PyOcdSettings(chip="nrf51", probe=f"remote:localhost:{server.getsockname()[1]}", timeout_s=5)
        assert "pyocd: it " in refusal(settings, image, tmp_path)
    write_tiny_elf(tmp_path / "stm32f4.elf")
    another = replace(image, elf=tmp_path / "stm32f4.elf")
    board = board_at(probe.terminal, NRF51, through_pyocd(probe, tmp_path), tmp_path)
    bench = Bench(board, tmp_path / "uart.log")
    with pytest.raises(DeviceError) as caught, bench.session(another, Flash.ALWAYS):
        pass
    assert re.search("is silent: .*, though it has just been flashed: pyocd ended with 0 and said: ", str(caught.value))
    assert "programmed 0 bytes" in str(caught.value)
    board.close()


@pytest.mark.nightly  # two builds of an example
def test_platformio_uploads_the_application_that_it_built(tmp_path: Path) -> None:
    for name in ("bare-metal", "wave"):
        shutil.copytree(ROOT / "examples" / name, tmp_path / name, ignore=shutil.ignore_patterns(".hil", "reports"))
    root = tmp_path / "bare-metal"
    with (root / "platformio.ini").open("a") as ini:
        ini.write("extra_scripts = post:upload.py\n")
    (root / "upload.py").write_text(
        """
import shutil
Import("env")
env.AddPlatformTarget(
    "upload",
    "$BUILD_DIR/${PROGNAME}.elf",
    lambda source, target, env: shutil.copy(str(source[0]), env.subst("$UPLOAD_PORT")) and None,
    "Upload",
)
"""
    )
    application = load_application(load_configuration(root))
    assert application is not None
    engine = ExternalEngine(application)
    image = engine.build(FirmwareProject(root / ".hil"), application.model, application.variant, STM32F4)
    port = tmp_path / "port"
    flasher(PlatformIoSettings(), Place("board", str(port), root / "hil.toml", tmp_path)).flash(image, silent)
    assert port.read_bytes() == image.elf.read_bytes()


@pytest.mark.nightly  # a GDB server beside the probe, for each tool
@pytest.mark.parametrize("server", ["openocd", "pyocd"])
def test_gdb_flashes_through_the_servers_of_the_tools(
    probe: SimulatedProbe, image: FirmwareImage, tmp_path: Path, server: Any
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    if server == "openocd":
        (tmp_path / "probe.cfg").write_text(f"set PROBE {probe.openocd}\n")
        files = [str(tmp_path / "probe.cfg"), str(simulated_probe.CONFIG)]
        argv = ["openocd", *(word for file in files for word in ("-f", file)), "-c", f"gdb_port {port}"]
    else:
        pyocd = str(Path(sys.executable).with_name("pyocd"))
        argv = [pyocd, "gdbserver", "-W", "-t", "nrf51", "-u", f"remote:localhost:{probe.pyocd}", "-p", str(port)]
        argv += ["--persist"]
    with subprocess.Popen(argv, stderr=subprocess.PIPE, text=True, preexec_fn=processes.die_with_parent()) as tool:
        assert tool.stderr is not None
        try:
            while not re.search(f"[Ll]istening on port {port}", tool.stderr.readline()):
                assert tool.poll() is None
            threading.Thread(target=tool.stderr.read, daemon=True).start()
            board = board_at(probe.terminal, NRF51, GdbSettings(server=server, address=f"localhost:{port}"), tmp_path)
            bench = Bench(board, tmp_path / "uart.log")
            with bench.session(image, Flash.ALWAYS) as device:
                assert answers(device)
                device.client.fault(FaultKind.HANG)
            with bench.session(image, Flash.ALWAYS) as device:
                assert answers(device)
            board.close()
        finally:
            tool.kill()


@pytest.mark.nightly  # waits for tools that hang
@pytest.mark.parametrize("workers", [[], ["-n", "2"]], ids=["one process", "two processes"])
def test_ctrl_c_ends_the_flashing_of_two_boards(tmp_path: Path, workers: list[str]) -> None:
    deaf = tmp_path / "deaf"
    deaf.write_text("#!/bin/sh\ntrap '' INT TERM\nsleep 600 &\necho $$ $! >$1.new\nmv $1.new $1\nwait\n")
    deaf.chmod(0o755)
    pids = [tmp_path / name for name in ("a", "b")]
    with ExitStack() as stack:
        tables = [
            f'[boards.{file.name}]\nport = "{stack.enter_context(fake_board.running("gesture", "int8", bytes(20)))}"\n'
            f'target = "stm32f4"\nflash = {{ method = "custom", command = "{deaf} {file}", timeout_s = 600 }}\n'
            for file in pids
        ]
        (tmp_path / "tflm-hil").mkdir()
        (tmp_path / "tflm-hil" / "hil-boards.toml").write_text("\n".join(['schema = "hil-boards/1"', *tables]))
        harness = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "pytest",
                "--board=a,b",
                "--hil-model=gesture",
                "-k",
                "int8",
                f"--hil-report={tmp_path}",
                *workers,
            ],
            cwd=ROOT,
            env=os.environ | {"XDG_CONFIG_HOME": str(tmp_path)},
            stdout=subprocess.DEVNULL,
            process_group=0,
        )
        while not all(file.exists() for file in pids):
            assert harness.poll() is None
            time.sleep(0.1)
        os.killpg(harness.pid, signal.SIGINT)
        assert harness.wait(120) == pytest.ExitCode.INTERRUPTED
    assert all(ends(int(pid)) for file in pids for pid in file.read_text().split())

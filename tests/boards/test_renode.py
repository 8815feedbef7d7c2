"""The board that Renode emulates, against a stand-in: its process, its line, its resets, its ends, and its faults.

The stand-in speaks like Renode and is none (support/fake_renode.py). What a real one does is tried in test_real_renode.
"""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import pytest
from support import fake_renode
from support.needs import needs_qemu
from support.processes import ends
from support.renode_installation import install
from support.targets import STM32F4, TARGETS
from support.tiny_elf import write_tiny_elf
from tflm_hil.boards.renode import installation
from tflm_hil.boards.renode import process as renode_process
from tflm_hil.boards.renode.board import RenodeBoard
from tflm_hil.boards.renode.process import RenodeProcess, command_line
from tflm_hil.device.connection import Connection
from tflm_hil.device.timeout import Deadline
from tflm_hil.errors import HilError, LineError
from tflm_hil.progress import silent
from tflm_hil.recordings import resd
from tflm_hil.targets import Target

pytestmark = needs_qemu
RECORDED = (Path(__file__).parents[1] / "support" / "renode" / "console.raw").read_bytes()


@dataclass
class TinyImage:
    elf: Path
    elf_sha256: str = "0"
    target: Target = STM32F4


Make = Callable[..., RenodeBoard]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Make a board whose Renode is the stand-in with a `fault`, and whose image says `!` and echoes what it gets."""
    boards = []

    def board(fault: str = "", folder: str = "run", target: Target = STM32F4) -> RenodeBoard:
        monkeypatch.setenv(installation.VARIABLE, str(install(tmp_path, STM32F4, fault)))
        (tmp_path / folder).mkdir()
        boards.append(RenodeBoard("emulated", tmp_path / folder))
        boards[-1].flash(TinyImage(write_tiny_elf(tmp_path / "tiny.elf"), target=target), silent)  # type: ignore[arg-type]
        return boards[-1]

    yield board
    for each in boards:
        each.close()


def process_of(board: RenodeBoard) -> RenodeProcess:
    assert board.machine.process is not None
    return board.machine.process


def read(connection: Connection, count: int) -> bytes:
    data, deadline = b"", Deadline(10)
    while len(data) < count and not deadline.expired:
        data += connection.read(deadline.left)
    return data


def test_the_stand_in_answers_byte_for_byte_as_renode_was_recorded(tmp_path: Path) -> None:
    """Otherwise all tests here would show nothing. Paths and counts are another run's."""
    renode, elf = install(tmp_path, STM32F4), write_tiny_elf(tmp_path / "tiny.elf")
    script = tmp_path / "stm32f4.resc"
    script.write_text(
        f'mach create "stm32f4"\nemulation CreateUartPtyTerminal "uart" "{tmp_path}/uart"\n'
        f'macro reset\n"""\n  sysbus LoadELF @{elf}\n"""\nrunMacro $reset\nstart\n'
    )
    commands = [line.partition(b") ")[2].strip(b"\r\n") for line in re.findall(rb"\([^()]+\) [^\r\n]+", RECORDED)]
    said = subprocess.run(
        command_line(renode, tmp_path),
        input=b"\n".join(commands).replace(b"/run", os.fsencode(tmp_path)) + b"\n",
        stdout=subprocess.PIPE,
        check=True,
    ).stdout
    assert commands[1] == b"include @/run/stm32f4.resc"
    assert len(commands) == 10
    recorded = RECORDED.replace(b"0x00000000000013F2", b"0x0000000000B35A3C")
    assert said.replace(os.fsencode(tmp_path), b"/run") == recorded


def test_the_command_line_is_exact() -> None:
    argv = command_line(Path("/opt/renode/renode"), Path("/tmp/hil-1"))
    assert " ".join(argv) == (
        "/opt/renode/renode --disable-gui --console --plain --hide-log --config /tmp/hil-1/config"
    )


def test_nothing_of_a_boot_is_lost_and_each_connection_sees_one(make: Make) -> None:
    board, pids = make(), set()
    for _ in range(3):
        connection = board.connect()
        pids.add(process_of(board).pid)
        assert read(connection, 1) == b"!"
        connection.write(b"\n\r\x03\x04\x11\x13\x00\xff")  # what a terminal that is not raw would change or keep
        assert read(connection, 8) == b"\n\r\x03\x04\x11\x13\x00\xff"
    assert board.trouble() == ""
    assert len(pids) == 1
    assert board.emulator == "renode 1.16.1"


def test_a_sensor_is_fed_while_the_machine_pauses(make: Make) -> None:
    board = make(target=TARGETS["stm32f4_lsm6dso"])
    assert board.sensor is not None
    connection = board.connect()
    assert read(connection, 1) == b"!"
    samples = np.array([[8192, 0, -8192, 1, 2, 3], [0, 0, 0, 4, 5, 6]], np.int16)
    board.sensor.feed(samples)
    folder = process_of(board).folder
    assert (folder / "acceleration.resd").read_bytes() == resd.acceleration(samples[:, :3], 8192, 104)
    assert (folder / "angular_rate.resd").read_bytes() == resd.angular_rate(samples[:, 3:], 1000 / 70, 104)
    told = [line for line in process_of(board).log.read_text().splitlines() if "RESD" in line or "started" in line]
    assert [line.split("] ")[-1].split(" from")[0] for line in told] == [
        "stm32f4_lsm6dso: Machine started.",
        "imu: RESD: Acceleration",
        "imu: RESD: AngularRate",
        "stm32f4_lsm6dso: Machine started.",
    ]
    connection.write(b"?")
    assert read(connection, 1) == b"?"


def test_a_target_without_a_sensor_cannot_be_fed(make: Make) -> None:
    board = make()
    board.connect()
    assert board.sensor is not None
    with pytest.raises(HilError, match=r"target stm32f4 has no sensor: .*stm32f4\.toml has no \[sensor\]; choose"):
        board.sensor.feed(np.zeros((1, 6), np.int16))


def test_a_sensor_that_renode_does_not_have_cannot_be_fed(make: Make) -> None:
    """The rest of its target runs all the same."""
    with_renode = msgspec.structs.replace(TARGETS["stm32f4_mpu6050"], renode=TARGETS["stm32f4"].renode)
    board = make(target=with_renode)
    assert read(board.connect(), 1) == b"!"
    assert board.sensor is not None
    with pytest.raises(HilError, match="no model of the MPU6050 of target stm32f4_mpu6050, so it cannot be fed"):
        board.sensor.feed(np.zeros((1, 6), np.int16))


def test_a_machine_that_does_not_run_cannot_be_fed(make: Make) -> None:
    board = make(target=TARGETS["stm32f4_lsm6dso"])
    assert board.sensor is not None
    with pytest.raises(HilError, match="Renode does not run; boot the board first"):
        board.sensor.feed(np.zeros((1, 6), np.int16))


def test_another_image_starts_another_emulator(make: Make, tmp_path: Path) -> None:
    board = make()
    board.connect()
    first = process_of(board).pid
    board.flash(TinyImage(tmp_path / "tiny.elf", "1"), silent)  # type: ignore[arg-type]
    assert ends(first)
    assert read(board.connect(), 1) == b"!"


def test_its_log_is_kept_and_nothing_else(make: Make, tmp_path: Path) -> None:
    board = make(folder="logs of mine; and §")
    board.connect()
    folder, pid = process_of(board).folder, process_of(board).pid
    link = folder / "uart"
    assert link.is_symlink()
    board.close()
    board.close()
    assert ends(pid)
    assert not folder.exists()
    assert "stm32f4: Machine started." in (tmp_path / "logs of mine; and §" / "renode.log").read_text()


def test_one_that_is_killed_is_told_and_replaced(make: Make) -> None:
    board = make()
    connection = board.connect()
    assert read(connection, 1) == b"!"
    os.kill(process_of(board).pid, signal.SIGKILL)
    with pytest.raises(
        LineError,
        match=r"^emulated: the serial line broke: .*\(Renode was killed by signal 9 \(SIGKILL\), .* started\.; see ",
    ):
        read(connection, 1)
    assert board.trouble().startswith("Renode was killed by signal 9 (SIGKILL), ")
    assert read(board.connect(), 1) == b"!"


def test_one_that_stands_still_is_told_and_replaced(make: Make) -> None:
    board = make()
    board.connect()
    pid = process_of(board).pid
    os.kill(pid, signal.SIGSTOP)
    os.waitid(os.P_PID, pid, os.WSTOPPED | os.WNOWAIT)
    assert board.trouble().startswith("Renode stands still: a signal has stopped it, [")
    assert read(board.connect(), 1) == b"!"
    assert ends(pid)


def test_one_that_crashes_in_the_middle_is_told_with_its_exception(make: Make) -> None:
    connection = make("crash").connect()
    assert read(connection, 1) == b"!"
    connection.write(b"x")
    with pytest.raises(LineError) as raised:
        read(connection, 1)
    assert re.fullmatch(
        r"emulated: the serial line broke: .* \(Renode was killed by signal 6 \(SIGABRT\), "
        rf"Fatal error: {re.escape(fake_renode.CRASH)}; see .*/renode\.log\)",
        str(raised.value),
    )


def test_one_whose_monitor_is_deaf_is_told_and_replaced(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    board = make("deaf")
    board.connect()
    pid = process_of(board).pid
    monkeypatch.setattr(renode_process, "_ANSWER_S", 0.2)
    monkeypatch.setattr(renode_process, "_END_S", 0.0)
    monkeypatch.setattr(renode_process, "_QUIT_S", 0.0)
    assert board.trouble().startswith("Renode stands still: its monitor does not answer, [")
    assert read(board.connect(), 1) == b"!"
    assert ends(pid)


def test_one_that_refuses_a_reset_is_replaced(make: Make) -> None:
    board = make("wrong-answer")
    board.connect()
    pid = process_of(board).pid
    with pytest.raises(HilError, match=r"^Renode's monitor: pause: There was an error .* It does not want to\.; see "):
        process_of(board).reset()
    assert read(board.connect(), 1) == b"!"
    assert ends(pid)


def test_one_whose_firmware_sends_without_end_can_be_reset(make: Make) -> None:
    board = make("floods")
    assert read(board.connect(), 1)
    pid = process_of(board).pid
    assert read(board.connect(), 1)
    assert process_of(board).pid == pid


def test_a_core_that_has_given_up_is_told_with_the_error(make: Make) -> None:
    board = make("halted")
    board.connect()
    assert re.fullmatch(
        r"Renode's core has halted, \[.*\] +\[ERROR\] cpu: CPU abort \[PC=0x0\]: .*; see .*/renode\.log",
        board.trouble(),
    )


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (
            "mute",
            r"Renode's monitor: no answer within 0\.5 s \(starting\) \(Renode stands still: its monitor does not ",
        ),
        (
            "no-runtime",
            r"Renode's monitor has gone \(starting\) \(Renode ended with 1, dotnet: libhostfxr\.so is missing; ",
        ),
        ("bad-platform", r"There was an error executing command 'machine LoadPlatformDescription @\S+' Error E36; "),
    ],
)
def test_one_that_does_not_start_is_told_with_its_reason(
    make: Make, monkeypatch: pytest.MonkeyPatch, fault: str, said: str
) -> None:
    monkeypatch.setattr(installation, "version", lambda _path: "1.16.1")
    board = make(fault)
    if fault == "mute":
        monkeypatch.setattr(RenodeProcess, "start_s", 0.5)
        monkeypatch.setattr(renode_process, "_QUIT_S", 0.0)
    with pytest.raises(HilError, match=rf"^Renode did not start: {said}.*see \S*/renode\.log\)?$") as raised:
        board.connect()
    assert "\n" not in str(raised.value)
    assert board.machine.process is None


# A signal that comes just before a read that never ends would be noticed after it only: so there is none such.
HARNESS = """
import select
import sys
from pathlib import Path
from types import SimpleNamespace
from tflm_hil.boards.renode.board import RenodeBoard
from tflm_hil.progress import silent
from tflm_hil.targets import load_targets

board = RenodeBoard("emulated", Path(sys.argv[1]))
board.flash(SimpleNamespace(elf=Path(sys.argv[2]), elf_sha256="0", target=load_targets()["stm32f4"]), silent)
try:
    board.connect()
    print(board.machine.process.pid, flush=True)
    while not select.select([sys.stdin], [], [], 0.1)[0]:
        pass
finally:
    board.close()
"""


def test_no_emulator_outlives_the_harness(make: Make, tmp_path: Path) -> None:
    make()
    harness = subprocess.Popen(
        [sys.executable, "-c", HARNESS, str(tmp_path), str(tmp_path / "tiny.elf")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"TMPDIR": str(tmp_path)},
    )
    with harness:
        assert harness.stdout is not None
        assert select.select([harness.stdout], [], [], 30)[0]
        pid = int(harness.stdout.readline())
        assert Path(f"/proc/{pid}").exists()
        harness.send_signal(signal.SIGKILL)
        assert ends(pid)

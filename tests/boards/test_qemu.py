"""The emulated board: how QEMU is started, what it says, and that it never outlives the harness."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from qemu.qmp import QMPClient
from support.needs import needs_qemu
from support.processes import ends
from support.targets import STM32F4
from support.tiny_elf import write_tiny_elf
from tflm_hil.boards.qemu import board as qemu
from tflm_hil.boards.qemu import process as qemu_process
from tflm_hil.boards.qemu.board import QemuBoard, command_line
from tflm_hil.boards.qemu.process import QemuProcess
from tflm_hil.boards.spec import AUTO, RTT, UART
from tflm_hil.device import rtt_connection
from tflm_hil.device.connection import Connection
from tflm_hil.device.timeout import Deadline
from tflm_hil.errors import DeviceError, HilError, LineError
from tflm_hil.targets import Target


@dataclass
class TinyImage:
    elf: Path
    elf_sha256: str = "0"
    target: Target = STM32F4
    symbols: tuple[()] = ()


@pytest.fixture
def board(tmp_path: Path) -> Iterator[QemuBoard]:
    board = QemuBoard("emulated", tmp_path)
    board.flash(TinyImage(write_tiny_elf(tmp_path / "tiny.elf")))  # type: ignore[arg-type]
    yield board
    board.close()


def pid_of(board: QemuBoard) -> int:
    assert board.machine.process is not None
    return board.machine.process.pid


def read(connection: Connection, count: int) -> bytes:
    data, deadline = b"", Deadline(10)
    while len(data) < count and not deadline.expired:
        data += connection.read(deadline.left)
    return data


def test_the_command_line_is_exact() -> None:
    argv = command_line(STM32F4, Path("/p/a,b.elf"), Path("/s,t/uart"), Path("/s,t/monitor"))
    assert " ".join(argv) == (
        "qemu-system-arm -M netduinoplus2 -icount shift=6 -display none -monitor none -nodefaults"
        " -chardev socket,id=uart,path=/s,,t/uart,server=on,wait=off -serial null -serial chardev:uart"
        " -qmp unix:/s,,t/monitor,server=on,wait=off -S -kernel /p/a,b.elf"
    )


@needs_qemu
def test_nothing_of_a_boot_is_lost_and_each_connection_sees_one(board: QemuBoard) -> None:
    pids = set()
    for _ in range(3):
        connection = board.connect()
        pids.add(pid_of(board))
        assert read(connection, 1) == b"!"
        connection.write(b"hello")
        assert read(connection, 5) == b"hello"
    assert len(pids) == 1


@needs_qemu
@pytest.mark.parametrize(("asked", "link"), [(AUTO, UART), (UART, UART), (RTT, RTT)])
def test_an_image_without_rings_has_its_uart_for_a_link(
    board: QemuBoard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: str, link: str
) -> None:
    monkeypatch.setattr(rtt_connection, "WRITE_TIMEOUT_S", 0.1)
    image = board.machine.image
    board = QemuBoard("emulated", tmp_path, asked)
    board.flash(image)
    assert board.link == link
    connection = board.connect()
    if link == UART:
        assert read(connection, 1) == b"!"
    else:
        with pytest.raises(LineError, match=r"no RTT control block in its memory: .*--hil-link=uart"):
            connection.write(b"hello")
    board.close()


@needs_qemu
def test_another_image_starts_another_emulator(board: QemuBoard, tmp_path: Path) -> None:
    board.connect()
    first = pid_of(board)
    board.flash(TinyImage(tmp_path / "tiny.elf"))  # type: ignore[arg-type]
    board.connect()
    assert pid_of(board) == first
    board.flash(TinyImage(tmp_path / "tiny.elf", "1"))  # type: ignore[arg-type]
    assert read(board.connect(), 1) == b"!"
    assert pid_of(board) != first
    assert ends(first)


@needs_qemu
def test_closing_leaves_neither_process_nor_sockets(board: QemuBoard, monkeypatch: pytest.MonkeyPatch) -> None:
    with tempfile.TemporaryDirectory() as sockets:
        monkeypatch.setattr(tempfile, "tempdir", sockets)
        board.connect()
        pid = pid_of(board)
        assert len(list(Path(sockets).iterdir())) == 1
        board.close()
        board.close()
        assert list(Path(sockets).iterdir()) == []
    assert ends(pid)
    assert board.machine.process is None


@needs_qemu
def test_sockets_fit_wherever_temporary_files_are(
    board: QemuBoard, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    deep = tmp_path / ("d" * 120)
    deep.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    assert read(board.connect(), 1) == b"!"


@needs_qemu
def test_a_command_that_is_garbled_on_its_way_is_sent_again(board: QemuBoard, monkeypatch: pytest.MonkeyPatch) -> None:
    execute = QMPClient.execute
    garbled: list[str] = []

    async def garble(client: QMPClient, command: str, arguments: dict[str, object] | None) -> object:
        if command in garbled:
            return await execute(client, command, arguments)
        garbled.append(command)
        return await execute(client, f"{command}x", arguments)

    monkeypatch.setattr(QMPClient, "execute", garble)
    assert read(board.connect(), 1) == b"!"
    assert {"query-chardev", "cont"} <= set(garbled)
    assert board.machine.process is not None
    with pytest.raises(HilError, match="nosuch has not been found"):
        board.machine.process.execute("nosuch")


@needs_qemu
def test_an_emulator_that_is_killed_is_told_and_replaced(board: QemuBoard) -> None:
    connection = board.connect()
    assert read(connection, 1) == b"!"
    pid = pid_of(board)
    os.kill(pid, signal.SIGKILL)
    assert ends(pid)
    with pytest.raises(
        DeviceError,
        match=r"^emulated: the serial line broke: .*\(QEMU was killed by signal 9 \(SIGKILL\), it said nothing; see ",
    ):
        connection.read(10)
    assert read(board.connect(), 1) == b"!"


@needs_qemu
def test_an_emulator_that_stands_still_is_told_and_replaced(board: QemuBoard) -> None:
    board.connect()
    assert board.trouble() == ""
    pid = pid_of(board)
    os.kill(pid, signal.SIGSTOP)
    assert board.trouble().startswith("QEMU stands still: a signal has stopped it, it said nothing; see ")
    assert read(board.connect(), 1) == b"!"
    assert pid_of(board) != pid
    assert ends(pid)


@needs_qemu
def test_an_emulator_whose_monitor_is_mute_is_told_and_replaced(
    board: QemuBoard, monkeypatch: pytest.MonkeyPatch
) -> None:
    board.connect()
    pid = pid_of(board)
    with monkeypatch.context() as deadlock:
        deadlock.setattr(QMPClient, "execute", lambda *_arguments: asyncio.sleep(60))
        deadlock.setattr(qemu_process, "_ANSWER_S", 0.01)
        assert board.trouble().startswith("QEMU stands still: its monitor does not answer, it said nothing; see ")
    assert read(board.connect(), 1) == b"!"
    assert pid_of(board) != pid
    assert ends(pid)


@needs_qemu
def test_an_emulator_that_dies_before_its_line_is_read_is_not_said_to_run(board: QemuBoard) -> None:
    connection = board.connect()
    os.kill(pid_of(board), signal.SIGKILL)
    with pytest.raises(LineError, match=r"QEMU was killed by signal 9 \(SIGKILL\)"):
        read(connection, 2)


@needs_qemu
def test_a_start_that_hangs_is_not_repeated_in_every_test(board: QemuBoard, monkeypatch: pytest.MonkeyPatch) -> None:
    started = []

    def hang(*_arguments: object) -> None:
        started.append(1)
        raise HilError("QEMU did not start: QEMU runs, it said nothing")

    monkeypatch.setattr(qemu, "QemuProcess", hang)
    monkeypatch.setattr(QemuProcess, "start_s", 0.0)
    for _ in range(5):
        with pytest.raises(HilError, match="QEMU did not start"):
            board.connect()
    assert len(started) == 2


@needs_qemu
def test_what_qemu_complains_about_is_quoted(board: QemuBoard, tmp_path: Path) -> None:
    board.flash(TinyImage(tmp_path / "missing.elf"))  # type: ignore[arg-type]
    with pytest.raises(HilError, match=r"^QEMU did not start: QEMU ended with 1, .*missing\.elf.*; see .*qemu\.log$"):
        board.connect()


def test_a_board_without_an_image_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(qemu, "version", lambda: "7.2.22")
    with pytest.raises(HilError, match=r"has no image: .* run without --hil-flash=never"):
        QemuBoard("emulated", tmp_path).connect()


# A signal that comes just before a read that never ends would be noticed after it only: so there is none such.
HARNESS = """
import select
import sys
from pathlib import Path
from types import SimpleNamespace
from tflm_hil.boards.qemu.board import QemuBoard
from tflm_hil.targets import load_targets

board = QemuBoard("emulated", Path(sys.argv[1]))
board.flash(SimpleNamespace(elf=Path(sys.argv[2]), elf_sha256="0", symbols=[], target=load_targets()["stm32f4"]))
try:
    board.connect()
    print(board.machine.process.pid, flush=True)
    while not select.select([sys.stdin], [], [], 0.1)[0]:
        pass
finally:
    board.close()
"""


@needs_qemu
@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_no_emulator_outlives_the_harness(tmp_path: Path, end: signal.Signals) -> None:
    elf = write_tiny_elf(tmp_path / "tiny.elf")
    harness = subprocess.Popen(
        [sys.executable, "-c", HARNESS, str(tmp_path), str(elf)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=Path(__file__).parents[2],
        env=os.environ | {"TMPDIR": str(tmp_path)},
    )
    with harness:
        assert harness.stdout is not None
        pid = int(harness.stdout.readline())
        assert Path(f"/proc/{pid}").exists()
        harness.send_signal(end)
        assert ends(pid)

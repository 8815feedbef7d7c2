"""The links to the emulated board: the same answers and counts over all, and how each of them breaks."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from support.needs import skip_without_tools
from support.processes import ends
from support.targets import STM32F4
from tflm_hil.boards import lock_file
from tflm_hil.boards.emulator.link import place_of_rings
from tflm_hil.boards.lock_file import LockFile
from tflm_hil.boards.qemu import process as qemu_process
from tflm_hil.boards.qemu.board import QemuBoard
from tflm_hil.boards.qemu.memory import ProcessMemory
from tflm_hil.boards.spec import AUTO, RTT, UART
from tflm_hil.device.client import Client
from tflm_hil.device.uart_log import UartLog
from tflm_hil.engines.aot.engine import AotEngine
from tflm_hil.errors import DeviceError, LineError
from tflm_hil.firmware.image import FirmwareImage
from tflm_hil.firmware.project import FirmwareProject
from tflm_hil.models.manifest import load_models

ROOT = Path(__file__).parents[2]
GDB = "gdb"
"""The rings through QEMU's GDB server."""


@pytest.fixture(scope="module")
def image() -> FirmwareImage:
    skip_without_tools()
    return FirmwareProject(ROOT / ".hil").build(load_models(ROOT)["gesture"], "int8", AotEngine(), STM32F4)


@pytest.fixture
def link() -> str:
    return RTT


@pytest.fixture
def board(image: FirmwareImage, tmp_path: Path, link: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[QemuBoard]:
    if link == GDB:
        monkeypatch.setattr(qemu_process, "ProcessMemory", not_permitted)
    board = QemuBoard("emulated", tmp_path, RTT if link == GDB else link)
    board.flash(image)
    yield board
    board.close()


@pytest.fixture
def connect(board: QemuBoard, tmp_path: Path) -> Iterator[Callable[[], Client]]:
    """Boots the board and opens a session."""
    with UartLog(tmp_path / "uart.log") as log:

        def connected() -> Client:
            client = Client(board.connect(), log, timeout=0.5, retries=1)
            client.hello()
            return client

        yield connected


def not_permitted(*_arguments: object) -> None:
    raise PermissionError(1, "Operation not permitted")


def pid_of(board: QemuBoard) -> int:
    assert board.machine.process is not None
    return board.machine.process.pid


def test_the_answers_and_counts_are_the_same_over_every_link(
    image: FirmwareImage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples = np.random.default_rng(1).integers(-32768, 32768, (400, 6), dtype=np.int16)
    answers = {}
    for link in (UART, RTT, GDB):
        if link == GDB:
            monkeypatch.setattr(qemu_process, "ProcessMemory", not_permitted)
        board = QemuBoard("emulated", tmp_path, RTT if link == GDB else link)
        board.flash(image)
        with UartLog(tmp_path / "uart.log") as log:
            client = Client(board.connect(), log)
            client.hello()
            answers[link] = client.stream(samples)
            assert client.link.faults == 0
        board.close()
    assert len(answers[UART]) == 75
    assert answers[UART] == answers[RTT] == answers[GDB]


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system cannot bind a process to a core")
@pytest.mark.parametrize("link", [UART, RTT])
def test_only_threads_that_hand_over_each_byte_share_a_core(
    board: QemuBoard, connect: Callable[[], Client], link: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock_file, "_SHARED", tmp_path)  # Tests that run beside this one have claimed cores.
    everything = os.sched_getaffinity(0)
    connect()
    threads = Path(f"/proc/{pid_of(board)}/task").iterdir()
    (cores,) = {frozenset(os.sched_getaffinity(int(thread.name))) for thread in threads}
    assert len(cores) == (1 if link == UART else len(everything))
    board.close()
    for core in everything:
        claim = LockFile(f"core-{core}")
        claim.acquire()
        claim.release()


@pytest.mark.parametrize("link", [RTT, GDB])
def test_each_session_begins_with_a_reset_and_an_own_reset_is_survived(
    board: QemuBoard, connect: Callable[[], Client]
) -> None:
    pids = set()
    for _ in range(2):
        client = connect()
        pids.add(pid_of(board))
        client.stream(np.zeros((30, 6), np.int16))
        assert client.status().windows == 1
        client.reset()
        client.hello()
        assert client.status().windows == 0
        assert board.trouble() == ""
    assert len(pids) == 1


@pytest.mark.parametrize("link", [RTT, GDB])
def test_an_emulator_that_is_killed_is_told_and_replaced(board: QemuBoard, connect: Callable[[], Client]) -> None:
    client = connect()
    pid = pid_of(board)
    os.kill(pid, signal.SIGKILL)
    assert ends(pid)
    with pytest.raises(
        LineError,
        match=r"^emulated: the RTT link broke: its memory .*\(QEMU was killed by signal 9 \(SIGKILL\), ",
    ):
        client.status()
    assert connect().status().windows == 0


def test_an_emulator_that_stands_still_is_silent(board: QemuBoard, connect: Callable[[], Client]) -> None:
    client = connect()
    os.kill(pid_of(board), signal.SIGSTOP)
    with pytest.raises(DeviceError, match="is silent: no answer to request #1 STATUS"):
        client.status()
    assert board.trouble().startswith("QEMU stands still: a signal has stopped it")
    assert connect().status().windows == 0


def test_a_block_that_the_firmware_overwrites_is_one_error(
    board: QemuBoard, connect: Callable[[], Client], image: FirmwareImage
) -> None:
    client = connect()
    place = place_of_rings(image, AUTO)
    assert place is not None
    assert place.address is not None
    assert board.machine.process is not None
    memory = ProcessMemory(pid_of(board), place.ram, board.machine.process.ask)
    memory.write(place.address + 24, bytes([0xC5] * 48))
    with pytest.raises(LineError, match=r"^emulated: the RTT link broke: an offset of the ring .*has overwritten it"):
        client.status()
    assert connect().status().windows == 0

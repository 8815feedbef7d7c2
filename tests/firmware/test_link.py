"""The two links of the firmware, compiled for the host: which one answers, and when the core may sleep."""

from __future__ import annotations

import ctypes
import shutil
import tempfile
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.device_helpers import FakeClock, recording
from support.firmware_helpers import CHANNELS, STRIDE, WINDOW, FirmwareOnHost, compile_for_host
from tflm_hil.device.client import Client
from tflm_hil.device.framing import Decoder, Frame, encode
from tflm_hil.device.messages import Message
from tflm_hil.device.uart_log import UartLog
from tflm_hil.recordings.windows import windows

RESPONSE = 0x80
WAKES = 1 << 8
HELLO = b"\0" + encode(Message.HELLO, 0, b"\x01\xaa\xbb\xcc\xdd")


class Ring(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_char_p),
        ("buffer", ctypes.c_void_p),
        *((name, ctypes.c_uint32) for name in ("size", "write", "read", "flags")),
    )
    buffer: int
    size: int
    write: int
    read: int
    flags: int


class ControlBlock(ctypes.Structure):
    _fields_ = (
        ("id", ctypes.c_char * 16),
        ("up_count", ctypes.c_uint32),
        ("down_count", ctypes.c_uint32),
        ("up", Ring),
        ("down", Ring),
    )
    id: bytes
    up: Ring
    down: Ring


class Board:
    """The firmware with both of its links, as a probe and a terminal see them."""

    def __init__(self, library: Path) -> None:
        # Variables of a library that is loaded from a file of its own are as after a reset.
        with tempfile.TemporaryDirectory() as folder:
            self.firmware = FirmwareOnHost(Path(shutil.copy(library, folder)))
        self.block = ControlBlock.in_dll(self.firmware.library, "_SEGGER_RTT")

    @property
    def is_asleep(self) -> bool:
        return bool(ctypes.c_bool(self.firmware.library.host_is_asleep()))

    def uart(self, data: bytes) -> tuple[list[int], list[int]]:
        """The types of the frames that come over the UART and over RTT when `data` comes over the UART."""
        return types(self.firmware.feed(data)), types(self.read())

    def rtt(self, data: bytes) -> tuple[list[int], list[int]]:
        """The same where it comes over RTT."""
        assert self.write(data) == len(data)
        return types(self.firmware.poll()), types(self.read())

    def write(self, data: bytes) -> int:
        """Write what there is room for into the ring of the host, and return how much that was."""
        ring = self.block.down
        count = min(len(data), (ring.read - ring.write - 1) % ring.size)
        for byte in data[:count]:
            ctypes.c_uint8.from_address(ring.buffer + ring.write).value = byte
            ring.write = (ring.write + 1) % ring.size
        return count

    def read(self) -> bytes:
        ring, data = self.block.up, bytearray()
        while ring.read != ring.write:
            data.append(ctypes.c_uint8.from_address(ring.buffer + ring.read).value)
            ring.read = (ring.read + 1) % ring.size
        return bytes(data)


class Rings:
    """A connection over RTT that takes at most `piece` bytes at once."""

    def __init__(self, board: Board, clock: FakeClock, piece: int) -> None:
        self._board = board
        self._clock = clock
        self._piece = piece

    def read(self, timeout: float) -> bytes:
        data = self._board.read()
        self._clock.now += 0.0 if data else timeout
        return data

    def write(self, data: bytes) -> None:
        while data:
            data = data[self._board.write(data[: self._piece]) :]
            assert self._board.firmware.poll() == b""

    def close(self) -> None:
        pass


def types(data: bytes) -> list[int]:
    items = Decoder().feed(data)
    assert all(isinstance(item, Frame) for item in items)
    return [cast(Frame, item).type for item in items]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compile_for_host(tmp_path_factory.mktemp("link"), "firmware.so", "-shared", "-fPIC")


@pytest.fixture
def board(library: Path) -> Board:
    """A board that has just started."""
    return Board(library)


def test_the_rings_are_published_and_before_hello_all_is_said_over_both_links(board: Board) -> None:
    assert board.block.id == b"SEGGER RTT"
    assert types(board.firmware.boot) == types(board.read()) == [Message.BOOT]
    assert types(board.firmware.crash(0))[0] == types(board.read())[0] == Message.CRASH


def test_hello_decides_which_link_answers_and_reports_a_crash(board: Board) -> None:
    board.read()
    assert board.rtt(HELLO) == ([], [Message.HELLO | RESPONSE])
    assert board.rtt(encode(Message.STATUS, 1)) == ([], [Message.STATUS | RESPONSE])
    assert (board.firmware.crash(0), types(board.read())[0]) == (b"", Message.CRASH)
    assert board.uart(HELLO) == ([Message.HELLO | RESPONSE], [])
    assert board.uart(encode(Message.STATUS, 1)) == ([Message.STATUS | RESPONSE], [])
    assert (types(board.firmware.crash(0))[0], board.read()) == (Message.CRASH, b"")


def test_a_host_that_wakes_the_core_over_the_uart_says_nothing_by_it(board: Board) -> None:
    board.read()
    board.block.down.flags = WAKES
    board.rtt(HELLO)
    request = encode(Message.STATUS, 1)
    for byte in request[:-1]:
        assert board.rtt(bytes([byte])) == board.uart(b"\0") == ([], [])
    assert board.rtt(request[-1:]) == ([], [Message.STATUS | RESPONSE])


def test_the_core_sleeps_only_if_something_will_wake_it(board: Board) -> None:
    board.firmware.poll()
    assert not board.is_asleep, "a probe may begin, and that wakes nothing"
    board.uart(HELLO)
    assert board.is_asleep, "the interrupt of the UART wakes it"
    board.rtt(HELLO)
    assert not board.is_asleep
    board.block.down.flags = WAKES
    board.firmware.poll()
    assert board.is_asleep


def test_what_no_host_takes_is_dropped_and_does_not_stop_the_uart(board: Board) -> None:
    for _ in range(400):
        assert board.firmware.feed(b"\x05rubbish\0"), "answered with NAK"
    ring = board.block.up
    assert (ring.read - ring.write - 1) % ring.size < 10
    assert board.uart(HELLO)[0] == [Message.HELLO | RESPONSE]


@settings(derandomize=True, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.integers(0, 700), piece=st.sampled_from([1, 7, 100, 5000]), seed=st.integers(0, 99))
def test_every_window_is_answered_once_over_rings_that_wrap(
    library: Path, tmp_path: Path, rows: int, piece: int, seed: int
) -> None:
    board, clock = Board(library), FakeClock()
    client = Client(Rings(board, clock, piece), UartLog(tmp_path / "log", clock), clock=clock)
    client.hello()
    samples = recording(rows, len(CHANNELS), seed)
    results = client.stream(samples)
    assert [result.index for result in results] == list(range(len(windows(samples, WINDOW, STRIDE))))
    assert client.link.faults == 0
    assert client.echo(np.random.default_rng(seed).bytes(3000))

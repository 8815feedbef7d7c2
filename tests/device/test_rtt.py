"""The link over rings in the memory of a device: every byte once, and memory that is not what it should be."""

from __future__ import annotations

import contextlib
import errno
import struct
from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.rtt_device import ANYWHERE, BLOCK, HEADER_BYTES, ORIGIN, PLACE, RAM_BYTES, RING_BYTES, RttDevice
from tflm_hil.device import rtt_connection
from tflm_hil.device.rtt import FLAG_WAKES, ID, Place
from tflm_hil.device.rtt_connection import RttConnection
from tflm_hil.errors import LineError

WAKE = b"\0"


def echo(data: bytes) -> bytes:
    return data


def running(device: RttDevice, place: Place = PLACE, bell: Bell | None = None) -> RttConnection:
    """A connection to a device that boots."""
    connection = RttConnection(device, place, "the device", bell, lambda: "it is a test")
    device.publish()
    return connection


class Bell:
    """The UART of a device that sleeps."""

    def __init__(self) -> None:
        self.rung = b""
        self.closed = False

    def write(self, data: bytes) -> None:
        self.rung += data

    def read(self, timeout: float) -> bytes:
        assert timeout == 0.0
        return b"what nobody wants to know"

    def close(self) -> None:
        self.closed = True


@settings(derandomize=True, max_examples=80)
@given(
    pieces=st.lists(st.binary(max_size=150), max_size=12),
    sizes=st.tuples(st.integers(2, 80), st.integers(2, 80)),
    place=st.sampled_from([PLACE, ANYWHERE]),
)
@example(pieces=[bytes(range(79)), b"x", bytes(80)], sizes=(80, 80), place=PLACE)
def test_every_byte_arrives_once_and_in_order(pieces: list[bytes], sizes: tuple[int, int], place: Place) -> None:
    connection, received = running(RttDevice(echo, *sizes), place), b""
    for piece in pieces:
        connection.write(piece)
        received += connection.read(0.0)
    while more := connection.read(0.0):
        received += more
    assert received == b"".join(pieces)


def test_a_block_that_an_earlier_run_has_left_is_not_taken_for_one_of_this(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rtt_connection, "WRITE_TIMEOUT_S", 0.01)
    for place in (PLACE, ANYWHERE):
        device = RttDevice(echo)
        device.publish()
        connection = RttConnection(device, place, "the device")
        assert connection.read(0.0) == b""
        with pytest.raises(LineError, match=r"0\.01 s after its start there is no RTT control block in its memory"):
            connection.write(b"lost")
        device.publish()
        connection.write(b"kept")
        assert connection.read(1.0) == b"kept"


def test_a_device_that_can_be_woken_is_told_so_and_woken_once_before_the_host_waits() -> None:
    bell, device = Bell(), RttDevice(echo)
    connection = running(device, bell=bell)
    connection.write(b"a")
    connection.write(b"b")
    assert bell.rung == b"", "the host does not wait yet"
    assert device.flags() == FLAG_WAKES
    assert connection.read(1.0) == b"ab"
    device.publish()  # A reset clears the flags.
    connection.write(b"c")
    assert device.flags() == FLAG_WAKES
    assert connection.read(0.0) == b"c"
    assert connection.read(0.0) == b""
    assert bell.rung in (b"", WAKE)
    connection.close()
    assert device.closed
    assert bell.closed


def test_what_is_no_firmware_of_ours_is_not_told_that_it_is_woken() -> None:
    bell, device = Bell(), RttDevice(echo)
    connection = running(device, ANYWHERE, bell)
    connection.write(b"a")
    assert connection.read(1.0) == b"a"
    assert device.flags() == 0


def test_a_sleeping_device_is_woken() -> None:
    bell = Bell()
    device = RttDevice(lambda data: data if bell.rung else b"")
    connection = running(device, bell=bell)
    connection.write(b"lost to a device that does not answer before it is woken")
    assert connection.read(0.001) == b""
    assert bell.rung == WAKE


def test_a_device_that_takes_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rtt_connection, "WRITE_TIMEOUT_S", 0.01)
    device = RttDevice(echo)
    connection = running(device)
    monkeypatch.setattr(device, "resume", lambda: None)
    with pytest.raises(LineError, match=r"^the device: the RTT link broke: the device took no bytes for 0\.01 s \(it"):
        connection.write(bytes(100))


def test_memory_that_cannot_be_reached_is_told() -> None:
    device = RttDevice(echo)
    connection = running(device)
    device.error = OSError(errno.ESRCH, "No such process")
    for use in (lambda: connection.read(1.0), lambda: connection.write(b"a")):
        with pytest.raises(LineError, match=r"^the device: the RTT link broke: .* No such process \(it is a test\)$"):
            use()


def put(offset: int, *values: int) -> Callable[[RttDevice], None]:
    return lambda device: struct.pack_into(f"<{len(values)}I", device.ram, BLOCK + offset, *values)


UP_RING, DOWN_RING = HEADER_BYTES, HEADER_BYTES + RING_BYTES


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (put(16, 0, 1), "the control block at 0x20000020 has 0 rings up and 1 down"),
        (put(16, 1, 0xFFFFFFFF), "has 1 rings up and 4294967295 down"),
        (put(UP_RING + 4, 0), "its ring up is not in RAM: 64 bytes at 0x00000000"),
        (put(UP_RING + 4, ORIGIN + RAM_BYTES - 63), "its ring up is not in RAM"),
        (put(UP_RING + 8, 0xFFFFFFFF), "its ring up is not in RAM"),
        (put(UP_RING + 8, 1), "its ring up is not in RAM: 1 bytes"),
        (put(DOWN_RING + 4, 0xFFFFFFF0), "its ring down is not in RAM"),
        (put(UP_RING + 12, 64), "an offset of the ring at 0x20000100 is beyond its 64 bytes"),
        (put(DOWN_RING + 16, 0xDEADBEEF), "an offset of the ring at 0x20000800 is beyond its 64 bytes"),
    ],
)
def test_a_corrupt_block_is_one_clear_error(spoil: Callable[[RttDevice], None], said: str) -> None:
    device = RttDevice(echo)
    connection = running(device)
    spoil(device)
    with pytest.raises(LineError) as caught:
        connection.read(1.0)
    assert str(caught.value).startswith("the device: the RTT link broke: ")
    assert said in str(caught.value)
    assert str(caught.value).endswith(": the firmware has overwritten it, or it never was one (it is a test)")


def test_a_block_at_the_end_of_ram_is_not_read_beyond_it() -> None:
    device = RttDevice(echo)
    connection = RttConnection(device, Place(None, [range(ORIGIN, ORIGIN + RAM_BYTES)], speaks=False), "the device")
    device.ram[-32:] = ID + struct.pack("<IIII", 1, 1, 0, 0)
    with pytest.raises(LineError, match="the description of its ring down is not in RAM"):
        connection.read(1.0)


addresses = st.one_of(st.integers(ORIGIN, ORIGIN + RAM_BYTES), st.integers(0, 0xFFFFFFFF))
numbers = st.one_of(st.integers(0, 64), st.integers(0, 0xFFFFFFFF))
rings = st.tuples(numbers, addresses, numbers, numbers, numbers, numbers)


@settings(derandomize=True, max_examples=150)
@given(counts=st.tuples(st.sampled_from([1, 1, 1, 2, 5]), st.integers(0, 2)), up=rings, down=rings)
def test_whatever_is_in_memory_only_memory_is_read_and_only_one_kind_of_error_is_raised(
    counts: tuple[int, int], up: tuple[int, ...], down: tuple[int, ...]
) -> None:
    device = RttDevice(echo)
    connection = running(device)
    struct.pack_into("<2I6I6I", device.ram, BLOCK + len(ID), *counts, *up, *down)
    device.resume = lambda: None  # type: ignore[method-assign]
    with pytest.MonkeyPatch.context() as patch, contextlib.suppress(LineError):
        patch.setattr(rtt_connection, "WRITE_TIMEOUT_S", 0.0)
        connection.read(0.0)
        connection.write(b"a")
        connection.read(0.0)

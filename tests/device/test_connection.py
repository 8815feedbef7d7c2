"""Byte streams that end, break or stall."""

from __future__ import annotations

import os
import socket
import struct
import termios
import threading
from collections.abc import Iterator

import pytest
from serial import serialposix
from tflm_hil.device.connection import SerialConnection, SocketConnection
from tflm_hil.device.timeout import Deadline
from tflm_hil.errors import DeviceError


@pytest.fixture
def sockets() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


@pytest.fixture
def pty() -> Iterator[tuple[int, SerialConnection]]:
    master, slave = os.openpty()
    connection = SerialConnection(os.ttyname(slave), 115_200, "pty")
    os.close(slave)
    yield master, connection
    connection.close()


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bool]]:
    """What is asked of the control lines of a port: a terminal has none."""
    asked: list[tuple[str, bool]] = []
    names = {termios.TIOCM_DTR: "dtr", termios.TIOCM_RTS: "rts"}
    ioctl = serialposix.fcntl.ioctl

    def recorded(descriptor: int, request: int, *argument: bytes) -> object:
        if request in (termios.TIOCMBIS, termios.TIOCMBIC):
            asked.append((names[struct.unpack("I", argument[0])[0]], request == termios.TIOCMBIS))
            return None
        return ioctl(descriptor, request, *argument)

    monkeypatch.setattr(serialposix.fcntl, "ioctl", recorded)
    return asked


@pytest.mark.parametrize(
    ("dtr", "rts", "opened"),
    [
        (True, True, [("dtr", True), ("rts", True)]),
        (False, True, [("dtr", False), ("rts", True)]),
        (False, None, [("dtr", False)]),
        (None, None, []),
    ],
)
def test_a_port_is_opened_with_its_control_lines_as_they_shall_be(
    lines: list[tuple[str, bool]], dtr: bool | None, rts: bool | None, opened: list[tuple[str, bool]]
) -> None:
    """No line is ever at the other level, not even for a moment: that resets some boards."""
    master, slave = os.openpty()
    connection = SerialConnection(os.ttyname(slave), 115_200, "pty", dtr, rts)
    assert lines == opened
    lines.clear()
    assert connection.line("dtr") == (dtr is not False)
    assert connection.set_line("rts", False)
    assert lines == [("rts", False)]
    connection.close()
    os.close(master)
    os.close(slave)


def test_a_socket_carries_bytes_both_ways(sockets: tuple[socket.socket, socket.socket]) -> None:
    connection = SocketConnection(sockets[0], "emulated")
    connection.write(b"to")
    assert sockets[1].recv(10) == b"to"
    sockets[1].sendall(b"from")
    assert connection.read(1.0) == b"from"
    assert connection.read(0.0) == b""
    assert connection.read(0.001) == b""


def test_a_write_reads_from_a_peer_that_must_send_before_it_receives(
    sockets: tuple[socket.socket, socket.socket],
) -> None:
    """Such as an emulator whose UART cannot send: otherwise both sides would wait for each other."""
    ours, theirs = sockets
    connection, much = SocketConnection(ours, "emulated"), 4 << 20

    def emulator() -> None:
        theirs.sendall(bytes(much))
        left = much
        while left:
            left -= len(theirs.recv(65536))

    thread = threading.Thread(target=emulator)
    thread.start()
    connection.write(bytes(much))
    received = 0
    while received < much:
        received += len(connection.read(5.0))
    thread.join()
    assert received == much


def test_a_closed_socket_is_an_error_with_its_cause(sockets: tuple[socket.socket, socket.socket]) -> None:
    connection = SocketConnection(sockets[0], "emulated", lambda: "QEMU ended with 1")
    sockets[1].close()
    with pytest.raises(DeviceError, match=r"^emulated: the serial line broke: .*closed it \(QEMU ended with 1\)$"):
        connection.read(1.0)
    with pytest.raises(DeviceError, match=r"^emulated: the serial line broke: Broken pipe \(QEMU ended with 1\)$"):
        connection.write(b"x")
    connection.close()
    connection.close()


def test_a_serial_port_carries_bytes_both_ways(pty: tuple[int, SerialConnection]) -> None:
    master, connection = pty
    connection.write(b"to")
    assert os.read(master, 10) == b"to"
    assert connection.read(0.001) == b""
    os.write(master, b"from\n\r\x03")
    received = b""
    while len(received) < 7:
        received += connection.read(1.0)
    assert received == b"from\n\r\x03"
    os.close(master)


def test_a_board_that_is_unplugged_is_one_line(pty: tuple[int, SerialConnection]) -> None:
    master, connection = pty
    os.close(master)
    with pytest.raises(
        DeviceError, match=r"^pty: the serial line broke: .*: is the board still connected\?$"
    ) as caught:
        connection.read(1.0)
    assert "\n" not in str(caught.value)


def test_a_deadline_follows_its_clock() -> None:
    now = [10.0]
    deadline = Deadline(2.0, lambda: now[0])
    assert (deadline.left, deadline.expired) == (2.0, False)
    now[0] = 12.5
    assert (deadline.left, deadline.expired) == (0.0, True)
    deadline.restart()
    assert deadline.left == 2.0

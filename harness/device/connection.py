"""Byte streams to a device: a socket of an emulator, or whatever pyserial can open."""

import socket
from collections.abc import Callable
from typing import Any, Protocol

import serial

from harness.errors import DeviceError

CHUNK = 65536
"""The most bytes that one read takes from the operating system."""

WRITE_TIMEOUT_S = 5.0
"""A line that accepts nothing for this long is dead: credits keep what is under way far below any buffer's size."""


class Connection(Protocol):
    """A stream of bytes in both directions."""

    def read(self, timeout: float) -> bytes:
        """Return what has arrived, waiting at most `timeout` seconds for the first byte; b"" if none came.

        Raises DeviceError where the other side has gone.
        """

    def write(self, data: bytes) -> None:
        """Send all of `data`. Raises DeviceError where the other side has gone or takes nothing."""

    def close(self) -> None:
        """Release the stream; closing twice is harmless."""


class SocketConnection:
    """A connected stream socket. `why` says, at the time of an error, what is known about its cause."""

    def __init__(self, sock: socket.socket, name: str, why: Callable[[], str] = lambda: "") -> None:
        self._socket = sock
        self._name = name
        self._why = why

    def read(self, timeout: float) -> bytes:
        """See Connection."""
        self._socket.settimeout(timeout)
        try:
            data = self._socket.recv(CHUNK)
        except (TimeoutError, BlockingIOError):
            return b""
        except OSError as error:
            raise self._gone(error.strerror or str(error)) from None
        if not data:
            raise self._gone("the other side closed it")
        return data

    def write(self, data: bytes) -> None:
        """See Connection."""
        self._socket.settimeout(WRITE_TIMEOUT_S)
        try:
            self._socket.sendall(data)
        except OSError as error:
            raise self._gone(error.strerror or str(error)) from None

    def close(self) -> None:
        """See Connection."""
        self._socket.close()

    def _gone(self, what: str) -> DeviceError:
        why = self._why()
        return DeviceError(f"{self._name}: the serial line broke: {what}" + (f" ({why})" if why else ""))


class SerialConnection:
    """A port that pyserial has opened: a device file, COM port, socket:// or rfc2217:// URL."""

    def __init__(self, port: Any, name: str) -> None:
        self._port = port
        self._name = name
        port.write_timeout = WRITE_TIMEOUT_S

    def read(self, timeout: float) -> bytes:
        """See Connection."""
        try:
            waiting = self._port.in_waiting
            if not waiting:
                self._port.timeout = timeout
                first: bytes = self._port.read(1)
                return first + self._port.read(self._port.in_waiting) if first else b""
            return bytes(self._port.read(waiting))
        except (serial.SerialException, OSError) as error:
            raise self._gone(error) from None

    def write(self, data: bytes) -> None:
        """See Connection."""
        try:
            self._port.write(data)
        except (serial.SerialException, OSError) as error:
            raise self._gone(error) from None

    def close(self) -> None:
        """See Connection."""
        self._port.close()

    def _gone(self, error: Exception) -> DeviceError:
        return DeviceError(f"{self._name}: the serial line broke: {error}: is the board still connected?")

"""Byte streams to a device: a socket, or any port that pyserial can open."""

import contextlib
import errno
import re
import select
import socket
import termios
import warnings
from collections.abc import Callable
from typing import Any, Protocol

import serial

from tflm_hil.device.timeout import Deadline
from tflm_hil.errors import LineError

CHUNK = 65536
"""The most bytes that one read takes from a socket."""

WRITE_TIMEOUT_S = 5.0
"""A line that accepts nothing for this long is dead: credits keep the data in flight far below any buffer's size."""

_SLICE_S = 0.01
"""How long pyserial waits in one call. It is set once, when the port is opened: a change makes pyserial configure the
port again, which takes 0.1 s and more with rfc2217://."""

PORT_ERRORS = (serial.SerialException, termios.error, OSError, ValueError, re.error)
"""What pyserial raises if a port does not work."""


class Connection(Protocol):
    """A stream of bytes in both directions."""

    def read(self, timeout: float) -> bytes:
        """Return what has arrived; wait at most `timeout` seconds for the first byte and return b"" if none came.

        Raises LineError if the other side is gone.
        """

    def write(self, data: bytes) -> None:
        """Send all of `data`. Raises LineError if the other side is gone or accepts nothing."""

    def close(self) -> None:
        """Release the stream; closing twice is harmless."""


class SocketConnection:
    """A connected stream socket. `why` is called after an error and returns what is known about its cause.

    Errors call it `what`.
    """

    def __init__(
        self, sock: socket.socket, name: str, why: Callable[[], str] = lambda: "", what: str = "serial line"
    ) -> None:
        self._socket = sock
        self._name = name
        self._why = why
        self._what = what
        self._arrived = b""

    def read(self, timeout: float) -> bytes:
        """See Connection."""
        if self._arrived:
            data, self._arrived = self._arrived, b""
            return data
        return self._receive(timeout)

    def _receive(self, timeout: float) -> bytes:
        try:
            self._socket.settimeout(timeout)
            data = self._socket.recv(CHUNK)
        except (TimeoutError, BlockingIOError):
            return b""
        except OSError as error:
            raise self._gone(error.strerror or str(error)) from None
        if not data:
            raise self._gone("the other side closed it")
        return data

    def write(self, data: bytes) -> None:
        """See Connection. Keeps what arrives meanwhile: an emulator that cannot send does not receive either."""
        deadline = Deadline(WRITE_TIMEOUT_S)
        try:
            self._socket.setblocking(False)
            while data:
                readable, writable, _ = select.select([self._socket], [self._socket], [], deadline.left)
                if writable:
                    with contextlib.suppress(BlockingIOError):
                        data = data[self._socket.send(data) :]
                        deadline.restart()
                elif readable:
                    self._arrived += self._receive(0.0)
                if deadline.expired:
                    raise self._gone(f"it took no bytes for {WRITE_TIMEOUT_S:g} s")
        except OSError as error:
            raise self._gone(error.strerror or str(error)) from None
        except ValueError:  # The socket is closed.
            raise self._gone("it is closed") from None

    def wait(self, timeout: float) -> None:
        """Return as soon as there is something to read, be it an error, and after `timeout` seconds."""
        select.select([self._socket], [], [], timeout)

    def close(self) -> None:
        """See Connection."""
        self._socket.close()

    def _gone(self, what: str) -> LineError:
        why = self._why()
        return LineError(f"{self._name}: the {self._what} broke: {what}" + (f" ({why})" if why else ""))


class SerialConnection:
    """A port that pyserial opens: a device file, a COM port or a URL. Errors call it `name`.

    Before anything else happens to the port, `dtr` and `rts` are set high (True) or low, or neither (None). `why` is
    called after an error and returns what is known about its cause; without it, a board may have been unplugged. Raises
    one of PORT_ERRORS if it cannot be opened.
    """

    def __init__(
        self,
        port: str,
        baud: int,
        name: str,
        dtr: bool | None = True,
        rts: bool | None = True,
        why: Callable[[], str] | None = None,
    ) -> None:
        self._name = name
        self._why = why
        # pyserial's rfc2217:// refuses a write timeout; its socket has one of its own.
        write_timeout = None if port.lower().startswith("rfc2217:") else WRITE_TIMEOUT_S
        self._port: Any = serial.serial_for_url(
            port, baudrate=baud, timeout=_SLICE_S, write_timeout=write_timeout, do_not_open=True
        )
        if isinstance(self._port, serial.Serial):  # a port of this machine, not of the network
            self._port.exclusive = True
        lines = {"dtr": dtr, "rts": rts}
        for line, level in lines.items():
            if level is None:  # pyserial has no setting for that: it always sets both lines in open().
                setattr(self._port, f"_update_{line}_state", lambda: None)
            else:
                setattr(self._port, line, level)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # pyserial's own; -W error would make them fatal
            self._port.open()
        for line in (line for line, level in lines.items() if level is None):
            delattr(self._port, f"_update_{line}_state")

    def read(self, timeout: float) -> bytes:
        """See Connection. May wait up to 0.01 s longer than `timeout`."""
        deadline = Deadline(timeout)
        try:
            while not (waiting := self._port.in_waiting):
                if deadline.expired:
                    return b""
                if first := bytes(self._port.read(1)):
                    return first + bytes(self._port.read(self._port.in_waiting))
            return bytes(self._port.read(waiting))
        except PORT_ERRORS as error:
            raise self._gone(str(error)) from None

    def write(self, data: bytes) -> None:
        """See Connection."""
        try:
            self._port.write(data)
        except serial.SerialTimeoutException:
            raise self._gone(f"it took no bytes for {WRITE_TIMEOUT_S:g} s") from None
        except PORT_ERRORS as error:
            raise self._gone(str(error)) from None

    def set_baud(self, baud: int) -> None:
        """Go on at another rate. Raises LineError if the port is gone or has no such rate."""
        try:
            self._port.baudrate = baud
        except PORT_ERRORS as error:
            raise self._gone(str(error)) from None

    def line(self, line: str) -> bool:
        """Return what `dtr`, `rts` or the `break_condition` was set to last; one that was left alone counts as high."""
        return bool(getattr(self._port, line))

    def set_line(self, line: str, on: bool) -> bool:
        """Set the control line `dtr` or `rts`, or the `break_condition`; return False if the port has no such line.

        Raises LineError if the port is gone.
        """
        try:
            setattr(self._port, line, on)
        except PORT_ERRORS as error:
            if getattr(error, "errno", None) in (errno.ENOTTY, errno.EINVAL):
                return False
            raise self._gone(str(error)) from None
        return True

    def close(self) -> None:
        """See Connection."""
        self._port.close()

    def _gone(self, what: str) -> LineError:
        cause = f" ({self._why()})" if self._why is not None else ": is the board still connected?"
        return LineError(f"{self._name}: the serial line broke: {what}{cause}")

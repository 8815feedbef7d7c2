"""A port: opened, and opened again under whatever name it comes back."""

import errno
import socket
import time
from collections.abc import Callable
from pathlib import Path

import serial

from tflm_hil.boards import rights
from tflm_hil.boards.serial import port_name, usb_port
from tflm_hil.boards.serial.holder import holders
from tflm_hil.device.connection import (
    PORT_ERRORS,
    Connection,
    SerialConnection,
    SocketConnection,
)
from tflm_hil.device.timeout import Deadline
from tflm_hil.errors import HilError
from tflm_hil.targets.target import Level, Uart

RETURN_S = 10.0
"""How long a port that was there may stay away: a board on native USB leaves with each reset, for some seconds."""

_CONNECT_S = 5.0
_POLL_S = 0.1
_BUSY = (errno.EBUSY, errno.EAGAIN)
_LEVELS: dict[Level, bool | None] = {"low": False, "high": True, "leave": None}


class BusyError(HilError):
    """Another process has the port."""


class Port:
    """The port at `address`, which the user calls `name`, opened as `uart` says. It remembers why it was refused.

    `why` is called when its line breaks, and returns what is known about the cause.
    """

    def __init__(self, address: str, uart: Uart, name: str = "", why: Callable[[], str] | None = None) -> None:
        self.name = name or address
        self.address = address
        self._uart = uart
        self._why = why
        self._usb = usb_port.find(address)
        self._opened = False
        self._refused: str | None = None

    def open(self) -> Connection:
        """Open the port. One that was there before may be away: it is waited for, once.

        Raises HilError with the remedy. From then on the error comes without any wait: a device file is looked for
        again, a host is not asked again.
        """
        if self._refused is not None and port_name.scheme(self.address) in port_name.NETWORK:
            raise HilError(f"{self._refused} (not tried again)")
        deadline = Deadline(RETURN_S if self._opened and self._refused is None else 0.0)
        while True:
            try:
                connection = self._open()
            except HilError as error:
                if deadline.expired:
                    self._refused = str(error)
                    raise
                time.sleep(_POLL_S)
            else:
                self._opened, self._refused = True, None
                return connection

    def check_free(self) -> None:
        """Raise HilError if another process has the port. One that cannot be opened for another reason is nobody's."""
        try:
            self._open().close()
        except BusyError:
            raise
        except HilError:
            pass

    def _open(self) -> Connection:
        if port_name.scheme(self.address) in ("socket", port_name.RTT):
            return self._connect()
        actual = self._actual_name()
        try:
            connection = SerialConnection(
                actual, self._uart.baud, self.name, _LEVELS[self._uart.dtr], _LEVELS[self._uart.rts], self._why
            )
        except OverflowError:
            raise HilError(f"{self.name}: no port has {self._uart.baud} baud: correct the rate") from None
        except (*PORT_ERRORS, LookupError) as error:  # the latter for options of a URL
            kind = BusyError if getattr(error, "errno", None) in _BUSY else HilError
            raise kind(f"{self.name}: {_why_not(actual, error)}") from None
        self._usb = usb_port.find(actual)
        return connection

    def _connect(self) -> Connection:
        try:
            line = socket.create_connection(port_name.host_and_port(self.address), _CONNECT_S)
        except (OSError, UnicodeError) as error:
            raise HilError(f"{self.name}: {_why_not(self.address, error)}") from None
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        what = "RTT link" if port_name.scheme(self.address) == port_name.RTT else "serial line"
        return SocketConnection(line, self.name, self._why or (lambda: ""), what)

    def _actual_name(self) -> str:
        """Return what to open: a USB port may have another name now, and another board the old one."""
        if self._usb is None or port_name.scheme(self.address):
            return self.address
        found = usb_port.find_again(self._usb)
        if found is None:
            raise HilError(f"{self.name}: the board has gone and did not come back: connect it again")
        return found.device


def _why_not(port: str, error: Exception) -> str:
    if isinstance(error, LookupError):
        return "an option after the ? of the URL has a name or a value that pyserial does not know: correct it"
    if port_name.scheme(port) == port_name.RTT and isinstance(error, ConnectionRefusedError):
        return "connection refused: have the probe's program serve RTT there (OpenOCD: `rtt server start PORT 0`)"
    if port_name.scheme(port) in port_name.NETWORK:
        return _why_no_connection(error)
    if isinstance(error, OSError) and error.filename:  # a file that the URL names, beside the port
        return f"cannot open {error.filename}: {error.strerror}"
    code = getattr(error, "errno", None)
    if code == errno.ENOENT:
        return f"there is no such port; {port_name.list_of_ports()}"
    if code == errno.EACCES:
        return f"permission denied: {rights.remedy(port_name.device_file(port) or Path(port))}"
    if code in _BUSY:
        file = port_name.device_file(port)
        who = " and ".join(map(str, holders(file))) if file else ""
        return (
            f"the port is busy: {f'{who} has it: end that' if who else 'close the program that has it open'},"
            " a serial monitor or another run of the harness; with -n, leave that out"
        )
    if errno.ENOTTY in getattr(error.__context__, "args", ()) or code == errno.EISDIR:
        return f"it is no serial port; {port_name.list_of_ports()}"
    return f"cannot open it: {error}; {port_name.list_of_ports()}"


def _why_no_connection(error: Exception) -> str:
    cause = error.__context__ if isinstance(error, serial.SerialException) and error.__context__ else error
    if isinstance(cause, socket.gaierror | UnicodeError):
        return "there is no host of that name: correct it, or give its address"
    if isinstance(cause, ConnectionRefusedError):
        return "connection refused: start the server of the port there, or correct the number"
    if isinstance(cause, ConnectionError):
        return "the server closes the connection: end what else uses the port, or look at its log"
    if isinstance(cause, TimeoutError):
        return f"no connection within {_CONNECT_S:g} s: is the host up, and does a firewall let it through?"
    if "RFC2217" in str(error):
        return "the server does not speak RFC 2217: make it do so, or use socket:// for a plain stream of bytes"
    if "'control'" in str(error):
        return "the server does not confirm its control lines: add ?ign_set_control to the URL"
    return f"cannot open it: {getattr(cause, 'strerror', None) or error}"

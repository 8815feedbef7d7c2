"""A real board behind a serial port, or behind a URL that leads to one."""

import errno
import re
import tempfile
from pathlib import Path
from typing import Any

import filelock
import serial
from serial.tools import list_ports

from harness.boards.targets import Target
from harness.device.connection import Connection, SerialConnection
from harness.device.device_info import DeviceInfo
from harness.device.framing import Decoder, Frame, encode
from harness.device.messages import Message, pack_hello
from harness.device.timeout import Deadline
from harness.errors import HilError
from harness.firmware.image import FirmwareImage

URL_SCHEMES = ("socket", "rfc2217")

_RESET_S = 1.0


def is_url(port: str) -> bool:
    """Whether `port` is a URL such as socket://host:3000, of whatever scheme."""
    return "://" in port


def ports() -> list[str]:
    """Return the serial ports of this machine."""
    return sorted(port.device for port in list_ports.comports())


def usb_ports() -> list[str]:
    """Return the serial ports that are on USB, which boards are and built-in ports are not."""
    return sorted(port.device for port in list_ports.comports() if port.vid is not None)


def list_of_ports() -> str:
    """Return the ports of this machine for the end of an error message."""
    return f"serial ports here: {', '.join(ports()) or 'none'}"


class SerialBoard:
    """A board at `port`; see Board. One process at a time may use it, from the first `connect` to `close`."""

    emulator: str | None = None

    def __init__(self, port: str, target: Target) -> None:
        self.name = port
        self._target = target
        self._lock = filelock.FileLock(_lock_path(port))
        self._connection: Connection | None = None

    def unit(self, info: DeviceInfo) -> str:  # noqa: ARG002  (on hardware, every counter runs with the core)
        """See Board."""
        return "cycles"

    def counts(self, info: DeviceInfo, ticks: int) -> int:
        """See Board."""
        return ticks - info.overhead_ticks

    def flash(self, image: FirmwareImage) -> None:
        """See Board. Not there yet for real boards: the error says how to do it by hand."""
        address = f"0x{self._target.flash_address:08x}"
        raise HilError(
            f"{self.name}: flashing real boards is not supported yet:"
            f" write {image.bin} to {address} (e.g. `st-flash --reset write {image.bin} {address}`)"
            " and run again with --hil-no-flash"
        )

    def connect(self) -> Connection:
        """See Board. A board whose firmware does not take the request to reset is left as it is."""
        if self._connection is not None:
            self._connection.close()
        try:
            if not self._lock.is_locked:
                self._lock.acquire(blocking=False)
        except filelock.Timeout:
            raise HilError(
                f"{self.name}: another run of the harness uses this board: wait until it ends, or run without -n"
            ) from None
        except OSError as error:
            raise HilError(f"{self._lock.lock_file}: cannot lock the port: {error.strerror}: remove the file") from None
        try:
            self._connection = SerialConnection(_open(self.name, self._target.baud), self.name)
        except HilError:
            self._lock.release()
            raise
        _reset(self._connection)
        return self._connection

    def close(self) -> None:
        """See Board."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self._lock.release()


def _lock_path(port: str) -> Path:
    """Return one path for all names of a port: /dev/serial/by-id/... is a link to it."""
    if not is_url(port):
        port = str(Path(port).resolve())
    return Path(tempfile.gettempdir()) / f"hil{re.sub(r'[^A-Za-z0-9]+', '-', port)}.lock"


def _open(name: str, baud: int) -> Any:
    try:
        port = serial.serial_for_url(name, baudrate=baud, do_not_open=True)
        if not is_url(name):
            port.exclusive = True
        port.open()
    except (serial.SerialException, OSError, ValueError) as error:
        raise HilError(_why_not(name, error)) from None
    return port


def _why_not(name: str, error: Exception) -> str:
    code = getattr(error, "errno", None)
    if code == errno.ENOENT:
        return f"{name}: there is no such port; {list_of_ports()}"
    if code == errno.EACCES:
        return (
            f"{name}: permission denied: join the group that owns it (`sudo usermod -aG dialout $USER`), log in again"
        )
    if code in (errno.EBUSY, errno.EAGAIN):
        return f"{name}: the port is busy: close the program that has it open, a serial monitor perhaps"
    return f"{name}: cannot open it: {error}; {list_of_ports()}"


def _reset(connection: Connection) -> None:
    """Ask the firmware to reset and wait until it boots. No answer is needed: HELLO makes it expect request 1."""
    connection.write(b"\0" + encode(Message.HELLO, 0, pack_hello(0)) + encode(Message.RESET, 1))
    decoder, deadline = Decoder(), Deadline(_RESET_S)
    while not deadline.expired:
        for item in decoder.feed(connection.read(deadline.left)):
            if isinstance(item, Frame) and item.type == Message.BOOT:
                return

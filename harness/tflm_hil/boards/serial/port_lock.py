"""One run of the harness at a time on a port, whoever runs it."""

import re
from pathlib import Path

from tflm_hil.boards.lock_file import LockFile
from tflm_hil.boards.serial import port_name, usb_port
from tflm_hil.boards.serial.holder import holders
from tflm_hil.errors import HilError


class PortLock:
    """A lock for host and port, or for a device."""

    def __init__(self, port: str) -> None:
        self._port = port
        self._file = LockFile(re.sub(r"[^A-Za-z0-9]+", "-", _what(port)))

    @property
    def path(self) -> Path:
        """The file that processes which have the port keep locked."""
        return self._file.path

    def acquire(self, shared: bool = False) -> None:
        """Take the lock, or keep it; a `shared` one keeps out only those who want it for themselves.

        Raises HilError where another run has it or the file cannot be opened.
        """
        try:
            self._file.acquire(shared)
        except BlockingIOError:
            raise HilError(
                f"{self._port}: {' and '.join(map(str, holders(self.path))) or 'another run of the harness'} uses this"
                " board: wait until it ends, or run without -n"
            ) from None
        except OSError as error:
            raise HilError(f"{self.path}: cannot lock the port: {error.strerror}: have its owner remove it") from None

    def release(self) -> None:
        """Let others have the port; releasing twice is harmless."""
        self._file.release()


def _what(port: str) -> str:
    """Return what tells the port from others, under whatever name: a board may come back under another one."""
    if port_name.scheme(port) in port_name.NETWORK:
        host, number = port_name.host_and_port(port)
        return f"{host}-{number}"
    usb = usb_port.find(port)
    return f"flash-{'-'.join(map(str, usb.identity)) if usb else port_name.canonical(port)}"

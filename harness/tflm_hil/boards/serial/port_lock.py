"""One run of the harness at a time on a port, whoever runs it."""

import contextlib
import fcntl
import os
import re
import tempfile
from pathlib import Path

from tflm_hil.boards.serial import port_name, usb_port
from tflm_hil.boards.serial.holder import holders
from tflm_hil.errors import HilError

_SHARED = Path("/run/lock")


class PortLock:
    """An advisory lock on a file for host and port, or for a device. It is never removed: one user owns it, and all may
    use it.

    flock needs no more than the right to read. A file of another user in a sticky directory must not be opened with
    O_CREAT (Linux refuses that where fs.protected_regular is set), so it is created only where there is none.
    """

    def __init__(self, port: str) -> None:
        self._port = port
        self.path = _directory() / f"hil-{re.sub(r'[^A-Za-z0-9]+', '-', _what(port))}.lock"
        self._descriptor: int | None = None

    def acquire(self, shared: bool = False) -> None:
        """Take the lock, or keep it; a `shared` one keeps out only those who want it for themselves.

        Raises HilError where another run has it or the file cannot be opened.
        """
        if self._descriptor is not None:
            return
        try:
            descriptor = self._open()
        except OSError as error:
            raise HilError(f"{self.path}: cannot lock the port: {error.strerror}: have its owner remove it") from None
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            raise HilError(
                f"{self._port}: {' and '.join(map(str, holders(self.path))) or 'another run of the harness'} uses this"
                " board: wait until it ends, or run without -n"
            ) from None
        self._descriptor = descriptor

    def release(self) -> None:
        """Let others have the port; releasing twice is harmless."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _open(self) -> int:
        flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
        with contextlib.suppress(FileNotFoundError):
            return os.open(self.path, flags)
        try:
            descriptor = os.open(self.path, flags | os.O_CREAT | os.O_EXCL, 0o644)
        except FileExistsError:  # Somebody else was quicker.
            return os.open(self.path, flags)
        os.fchmod(descriptor, 0o644)  # whatever the umask says: another user must be able to read it
        return descriptor


def _what(port: str) -> str:
    """Return what tells the port from others, under whatever name: a board may come back under another one."""
    if port_name.scheme(port) in port_name.NETWORK:
        host, number = port_name.host_and_port(port)
        return f"{host}-{number}"
    usb = usb_port.find(port)
    return f"flash-{'-'.join(map(str, usb.identity)) if usb else port_name.canonical(port)}"


def _directory() -> Path:
    """Return the directory for locks that every user of this machine shares, whatever TMPDIR says."""
    return _SHARED if os.access(_SHARED, os.W_OK) else Path(tempfile.gettempdir())

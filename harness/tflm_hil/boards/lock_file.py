"""Advisory locks that every user of this machine shares."""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
from pathlib import Path

_SHARED = Path("/run/lock")


class LockFile:
    """The lock called `name`. Its file is never removed: one user owns it, and all may use it.

    flock needs no more than the right to read. A file of another user in a sticky directory must not be opened with
    O_CREAT (Linux refuses that where fs.protected_regular is set), so it is created only where there is none.
    """

    def __init__(self, name: str) -> None:
        self.path = _directory() / f"hil-{name}.lock"
        self._descriptor: int | None = None

    def acquire(self, shared: bool = False) -> None:
        """Take the lock, or keep it; a `shared` one keeps out only those who want it for themselves.

        Raises BlockingIOError if somebody else has it, and another OSError if the file cannot be opened.
        """
        if self._descriptor is not None:
            return
        descriptor = self._open()
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            raise
        self._descriptor = descriptor

    def release(self) -> None:
        """Let others have it; releasing twice is harmless. It ends with the process as well."""
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


def _directory() -> Path:
    """Return the directory for locks that every user of this machine shares, whatever TMPDIR says."""
    return _SHARED if os.access(_SHARED, os.W_OK) else Path(tempfile.gettempdir())

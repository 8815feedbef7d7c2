"""Which boards of a set a process may use, and which are of no use."""

from __future__ import annotations

import contextlib
from pathlib import Path

from filelock import FileLock, Timeout

from tflm_hil.errors import HilError
from tflm_hil.files import write_text

EVERY = "every firmware"


class Claims:
    """Boards by their numbers. Processes that share `folder` have each board one at a time, and each at most one board.

    Without a folder, all boards are for this process. A claim goes with the process that holds it, however that ends.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._locks: dict[int, FileLock] = {}
        self._left_out: dict[tuple[int, str], str] = {}

    @property
    def shared(self) -> bool:
        """Whether other processes use the same boards."""
        return self._folder is not None

    def take(self, number: int) -> bool:
        """Take a board, or keep it; False if another process has it."""
        if self._folder is None or number in self._locks:
            return True
        lock = FileLock(self._folder / f"{number}.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            return False
        self._locks[number] = lock
        return True

    def give_back(self, number: int) -> None:
        """Let others have it; giving back twice is harmless."""
        if lock := self._locks.pop(number, None):
            lock.release()

    def leave_out(self, number: int, firmware: str, reason: str) -> None:
        """Use it no more for `firmware`, or for EVERY one; the other processes do not either."""
        self._left_out[number, firmware] = reason
        if self._folder is not None:
            with contextlib.suppress(HilError):  # Then the others find out by themselves.
                write_text(self._folder / f"{number}.{firmware}.left-out", reason)

    def left_out(self, number: int, firmware: str) -> str:
        """Return why it is not used for `firmware`; "" if it is."""
        return next(filter(None, (self._reason(number, name) for name in (EVERY, firmware))), "")

    def _reason(self, number: int, firmware: str) -> str:
        if self._folder is not None and (number, firmware) not in self._left_out:
            with contextlib.suppress(OSError):
                path = self._folder / f"{number}.{firmware}.left-out"
                self._left_out[number, firmware] = path.read_text(encoding="utf-8")
        return self._left_out.get((number, firmware), "")

"""Processor cores for emulators that are fastest on one: no two of them stay on the same."""

from __future__ import annotations

import os
import sys

from tflm_hil.boards.lock_file import LockFile


class CoreClaim:
    """The first core that this process may use and no other emulator has claimed.

    The claim ends with `release`, and with the process.
    """

    number: int | None = None
    """The core; None if all are claimed, or where a process cannot be bound to one."""

    def __init__(self) -> None:
        self._lock: LockFile | None = None
        if sys.platform != "linux":
            return
        for number in sorted(os.sched_getaffinity(0)):
            lock = LockFile(f"core-{number}")
            try:
                lock.acquire()
            except OSError:
                continue
            self._lock, self.number = lock, number
            return

    def release(self) -> None:
        """Let others have it; releasing twice is harmless."""
        if self._lock is not None:
            self._lock.release()

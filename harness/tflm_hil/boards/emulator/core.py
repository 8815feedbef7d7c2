"""Processor cores for emulators that are fastest on a single one."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys

from tflm_hil.boards.lock_file import LockFile


class CoreClaim:
    """A core that this process may use, and that no other emulator has claimed as long as there are such cores.

    The core that this process runs on comes first: Linux has chosen it because others are busier, perhaps with
    emulators in other containers, whose claims are not seen here. The claim ends with `release`, and with the process.
    """

    number: int | None = None
    """The core; None where a process cannot be bound to one."""

    def __init__(self) -> None:
        self._lock: LockFile | None = None
        if sys.platform != "linux":
            return
        here = self.number = ctypes.CDLL(None).sched_getcpu()
        for number in sorted(os.sched_getaffinity(0), key=lambda core: core != here):
            lock = LockFile(f"core-{number}")
            with contextlib.suppress(OSError):
                lock.acquire()
                self._lock, self.number = lock, number
                return

    def release(self) -> None:
        """Let others have it; releasing twice is harmless."""
        if self._lock is not None:
            self._lock.release()

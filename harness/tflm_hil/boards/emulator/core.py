"""Processor cores for emulators that are fastest on one: no two of them stay on the same."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from filelock import FileLock, Timeout


class CoreClaim:
    """The first core that this process may use and no other emulator of this user has claimed.

    The claim ends with `release`, and with the process.
    """

    number: int | None = None
    """The core; None if all are claimed, or where a process cannot be bound to one."""

    def __init__(self) -> None:
        self._lock: FileLock | None = None
        if sys.platform != "linux":
            return
        for number in sorted(os.sched_getaffinity(0)):
            path = Path(tempfile.gettempdir()) / f"hil-core-{os.getuid()}-{number}.lock"
            lock = FileLock(path, timeout=0, thread_local=False)
            try:
                lock.acquire()
            except (Timeout, OSError):
                continue
            self._lock, self.number = lock, number
            return

    def release(self) -> None:
        """Let others have it; releasing twice is harmless."""
        if self._lock is not None:
            self._lock.release()

"""One build at a time: the others wait, and say for whom."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from tflm_hil.progress import Say

SAY_EVERY_S = 1.0


@contextmanager
def build_lock(file: Path, what: str, say: Say) -> Iterator[None]:
    """Hold the lock `file` to do `what`. While another process holds it, `say` is told which, what for and how long.

    The lock goes with the process that holds it, however that ends. Raises OSError where the file cannot be made.
    """
    lock, holder = FileLock(file), file.with_name(f"{file.name}.holder")
    began = time.monotonic()
    while not lock.is_locked:
        try:
            lock.acquire(timeout=SAY_EVERY_S)
        except Timeout:
            say(f"waiting for {_read(holder)}, {time.monotonic() - began:.0f} s")
    with lock:
        try:
            holder.write_text(f"process {os.getpid()}, which does {what}", encoding="utf-8")
            yield
        finally:
            lock.release()


def _read(holder: Path) -> str:
    try:
        return holder.read_text(encoding="utf-8") or "another process"
    except OSError:
        return "another process"

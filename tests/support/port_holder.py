"""A process that has a port, as a serial monitor has it, or only locks a file."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_SCRIPT = """
import fcntl, os, sys
descriptor = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY)
if "lock" in sys.argv:
    fcntl.flock(descriptor, fcntl.LOCK_EX)
print(flush=True)
sys.stdin.read()
"""


@contextmanager
def holding(file: str | Path, *arguments: str) -> Iterator[int]:
    """Have another process open `file`, and lock it if `lock` is among the `arguments`; yield its number."""
    argv = [sys.executable, "-c", _SCRIPT, str(file), *arguments]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield process.pid
        finally:
            process.stdin.close()

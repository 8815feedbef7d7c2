"""Child processes that do not outlive the harness, however it ends."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from harness.errors import HilError

_PR_SET_PDEATHSIG = 1
_TERMINATE_S = 3.0


def spawn(argv: list[str], stderr: Path) -> subprocess.Popen[bytes]:
    """Start `argv` with no input and no output but `stderr`, a file.

    On Linux the kernel kills the process when the thread that started it ends, so neither SIGKILL nor a crash of the
    harness leaves it behind. It gets a process group of its own: Ctrl-C is for the harness, which then stops it in
    order. Raises HilError where it cannot be started.
    """
    try:
        with stderr.open("wb") as errors:
            return subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                process_group=0,
                preexec_fn=_die_with_parent(),
            )
    except OSError as error:
        raise HilError(f"{argv[0]}: cannot start: {error.strerror}: {error.filename or stderr}") from None


def stop(process: subprocess.Popen[bytes], grace: float) -> None:
    """Wait `grace` seconds for a process that was asked to end, then make it end."""
    for end, seconds in ((None, grace), (process.terminate, _TERMINATE_S), (process.kill, None)):
        if end is not None:
            end()
        try:
            process.wait(seconds)
            return
        except subprocess.TimeoutExpired:
            continue


def _die_with_parent() -> Callable[[], None] | None:
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)
    parent = os.getpid()

    def tie() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # It died before the tie was made.
            os.kill(os.getpid(), signal.SIGKILL)

    return tie

"""Child processes that do not outlive the harness, and an end of its own that is one line."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tflm_hil.errors import HilError

INTERRUPTED = 130
"""The exit status of a program that SIGINT ended, as a shell counts."""

_PR_SET_PDEATHSIG = 1
_TERMINATE_S = 3.0
_INTERRUPT_S = 10.0
_POLL_S = 0.02


@contextmanager
def interruptible() -> Iterator[None]:
    """Turn Ctrl-C into the end of the program, with one line."""
    try:
        yield
    except KeyboardInterrupt:
        print("hil: interrupted", file=sys.stderr)
        sys.exit(INTERRUPTED)


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
                preexec_fn=die_with_parent(),
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


def stop_group(leader: subprocess.Popen[str]) -> None:
    """Interrupt the process group that `leader` leads, and kill what of it is still there some seconds later."""
    until = time.monotonic() + _INTERRUPT_S
    with contextlib.suppress(ProcessLookupError):  # all have gone
        try:
            os.killpg(leader.pid, signal.SIGINT)
            while time.monotonic() < until:
                leader.poll()  # until it is asked for, one that has ended counts
                os.killpg(leader.pid, 0)
                time.sleep(_POLL_S)
        finally:
            os.killpg(leader.pid, signal.SIGKILL)


def die_with_parent() -> Callable[[], None] | None:
    """What ties a process to the thread that starts it, as `preexec_fn` of Popen; None where that cannot be done."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)
    parent = os.getpid()

    def tie() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # It died before the tie was made.
            os.kill(os.getpid(), signal.SIGKILL)

    return tie

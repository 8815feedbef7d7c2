"""Child processes that do not outlive the harness, and a clean end on Ctrl-C."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import AnyStr

from tflm_hil.errors import HilError

INTERRUPTED = 130
"""The exit status that a shell reports for a program ended by SIGINT: 128 + 2."""

_PR_SET_PDEATHSIG = 1
_TERMINATE_S = 3.0
_TOOL_INTERRUPT_S = 2.0
_POLL_S = 0.02


@contextmanager
def interruptible() -> Iterator[None]:
    """On Ctrl-C, end the program with one line instead of a traceback."""
    try:
        yield
    except KeyboardInterrupt:
        with contextlib.suppress(OSError):  # A terminal that was closed takes no more words.
            print("hil: interrupted", file=sys.stderr, flush=True)
        sys.exit(INTERRUPTED)


def spawn(argv: list[str], stderr: Path, pipes: bool = False, core: int | None = None) -> subprocess.Popen[bytes]:
    """Start `argv` and write what it prints on stderr to the file `stderr`, whose folder is made where it is missing.

    It has no standard input and its standard output is discarded; with `pipes` both are unbuffered pipes. All its
    threads stay on `core` (on Linux), if one is given.

    On Linux the kernel kills the process when the thread that started it ends, so it does not survive a crash or a
    SIGKILL of the harness. It runs in a process group of its own: Ctrl-C reaches only the harness, which then stops
    the process in order. Raises HilError if it cannot be started.
    """
    try:
        stderr.parent.mkdir(parents=True, exist_ok=True)  # Somebody may have deleted the reports in mid-run.
        with stderr.open("wb") as errors:
            return subprocess.Popen(
                argv,
                bufsize=0,
                stdin=subprocess.PIPE if pipes else subprocess.DEVNULL,
                stdout=subprocess.PIPE if pipes else subprocess.DEVNULL,
                stderr=errors,
                process_group=0,
                preexec_fn=die_with_parent(core),
            )
    except OSError as error:
        raise HilError(f"{argv[0]}: cannot start: {error.strerror}: {error.filename or stderr}") from None


def run(
    argv: Sequence[str],
    log: Path,
    limit_s: float,
    tick: Callable[[float], None],
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> int | None:
    """Run a tool without input, and return its exit status, None if it ran longer than `limit_s`.

    It runs in `folder`, or in that of this process.

    `log` has what it said, and `tick` is told again and again how many seconds have passed. The tool runs in a process
    group of its own, of which nothing is left in the end: it is interrupted where its time is over or an exception
    (Ctrl-C) comes, and killed soon after, since tools whose debug probe is gone ignore all other signals. Raises
    HilError if it cannot be started.
    """
    try:
        with log.open("wb") as output:
            process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                cwd=folder,
                process_group=0,
                preexec_fn=die_with_parent(),
            )
    except OSError as error:
        raise HilError(f"{argv[0]}: cannot start: {error.strerror}: {error.filename or log}") from None
    started = time.monotonic()
    try:
        # The status stays for later, so that the process keeps its number, which is that of its group.
        while os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            if (passed := time.monotonic() - started) > limit_s:
                stop_group(process, _TOOL_INTERRUPT_S)
                return None
            tick(passed)
            time.sleep(_POLL_S)
    except BaseException:
        stop_group(process, _TOOL_INTERRUPT_S)
        raise
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)  # what it has left behind
    return process.wait()


def stop(process: subprocess.Popen[bytes], grace: float) -> None:
    """Wait `grace` seconds for a process that was asked to end, then terminate it; kill it if that does not help."""
    for end, seconds in ((None, grace), (process.terminate, _TERMINATE_S), (process.kill, None)):
        if end is not None:
            end()
        try:
            process.wait(seconds)
            return
        except subprocess.TimeoutExpired:
            continue


def stop_group(leader: subprocess.Popen[AnyStr], grace: float) -> None:
    """Interrupt the process group of `leader`, and kill the processes of it that still run `grace` seconds later."""
    until = time.monotonic() + grace
    with contextlib.suppress(ProcessLookupError):  # All have ended.
        try:
            os.killpg(leader.pid, signal.SIGINT)
            while time.monotonic() < until:
                leader.poll()  # An ended process stays in its group until somebody asks for its status.
                os.killpg(leader.pid, 0)
                time.sleep(_POLL_S)
        finally:
            os.killpg(leader.pid, signal.SIGKILL)


def die_with_parent(core: int | None = None) -> Callable[[], None] | None:
    """Return a `preexec_fn` for Popen that lets the child die with the thread that starts it; None if not on Linux.

    The child stays on `core`, if one is given.
    """
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)
    parent = os.getpid()

    def tie() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # The parent died before prctl.
            os.kill(os.getpid(), signal.SIGKILL)
        if core is not None:
            with contextlib.suppress(OSError):
                os.sched_setaffinity(0, {core})

    return tie

"""The process of an emulator, and what is known of it when something goes wrong."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from tflm_hil import processes
from tflm_hil.boards.emulator.core import CoreClaim
from tflm_hil.device.connection import Connection

_END_S = 1.0
_LONGEST_FOLDER = 80
"""A unix socket's path has at most 107 characters; this leaves some for the folder's own name and the socket's."""


class EmulatorProcess(ABC):
    """A process with a `folder` of its own, for its sockets and the like, and the arguments that `argv` makes of that.

    What it writes to stderr goes to `stderr`, what it says of its work to `log`. With `pipes` its standard input and
    output are pipes. With `one_core` all its threads stay on one, so that a thread hands over to another without waking
    a core. Raises HilError if it cannot be started.
    """

    name: ClassVar[str]
    """What people call the emulator."""

    start_s: ClassVar[float] = 10.0
    """One that has not started by then does not."""

    def __init__(
        self, argv: Callable[[Path], list[str]], stderr: Path, log: Path, pipes: bool = False, one_core: bool = False
    ) -> None:
        self.log = log
        self.mute = False
        """Whether its monitor was asked and did not answer."""
        self.folder = _short_folder()
        self._claim = CoreClaim() if one_core else None
        try:
            core = self._claim.number if self._claim else None
            self._process = processes.spawn(argv(self.folder), stderr, pipes, core)
        except BaseException:
            self._clean_up()
            raise

    @abstractmethod
    def reset(self) -> None:
        """Reset the machine and leave it halted. Raises HilError."""

    @abstractmethod
    def open_line(self, name: str) -> Connection:
        """Return the line to the UART, with nothing left to read; errors call it `name`. Raises HilError."""

    @abstractmethod
    def run(self) -> None:
        """Let the halted machine run, now that its line is open. Raises HilError."""

    @abstractmethod
    def trouble(self) -> str:
        """Return what is wrong with the emulator itself; "" if it runs and emulates."""

    @abstractmethod
    def complaint(self) -> str:
        """Return the line that tells an error, else the last one that it wrote, else ""."""

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def ended(self) -> bool:
        """Whether the process has ended."""
        return self._process.poll() is not None

    @property
    def usable(self) -> bool:
        """Whether it runs and has answered so far."""
        return not (self.mute or self.ended or self.stopped)

    @property
    def stopped(self) -> bool:
        """Whether a signal has stopped it, which the third field of the process's stat tells on Linux."""
        if sys.platform != "linux":
            return False
        try:
            stat = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii", errors="replace")
        except OSError:
            return False
        return stat.rpartition(")")[2].split()[0] in ("T", "t")

    def last_words(self) -> str:
        """Return how the emulator is, and what it said."""
        return f"{self._state()}, {self.complaint() or 'it said nothing'}; see {self.log}"

    def why_line_broke(self) -> str:
        """Return the same, but an emulator whose line is closed already gets a moment to end."""
        self.wait(_END_S)
        return self.last_words()

    def wait(self, seconds: float) -> None:
        """Give it so many seconds to end."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)

    def close(self) -> None:
        """Kill the process, whatever it was started by, and remove its folder; closing twice is harmless."""
        if not self.ended:
            # An emulator that stands still takes no other signal.
            os.killpg(self.pid, signal.SIGKILL)
            self._process.wait()
        self._clean_up()

    def _state(self) -> str:
        code = self._process.poll()
        if code is not None:
            ended = f"ended with {code}" if code >= 0 else f"was killed by signal {-code} ({_signal_name(-code)})"
            return f"{self.name} {ended}"
        if self.stopped:
            return f"{self.name} stands still: a signal has stopped it"
        return f"{self.name} stands still: its monitor does not answer" if self.mute else f"{self.name} runs"

    def _clean_up(self) -> None:
        if self._claim:
            self._claim.release()
        shutil.rmtree(self.folder, ignore_errors=True)


def lines_of(log: Path) -> list[str]:
    """Return the lines of a log that are not empty; none if there is no such file."""
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    return [line.strip() for line in lines if line.strip()]


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return "real-time"


def _short_folder() -> Path:
    """Return a new folder whose path is short enough for sockets, and plain enough for any monitor's command line."""
    base = tempfile.gettempdir()
    plain = len(base) <= _LONGEST_FOLDER and re.fullmatch(r"[\w./-]+", base, re.ASCII)
    return Path(tempfile.mkdtemp(prefix="hil-", dir=base if plain else "/tmp"))

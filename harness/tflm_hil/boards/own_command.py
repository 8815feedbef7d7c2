"""Command lines of the user's own in hil-boards.toml: to reset a board, and to switch its power."""

from __future__ import annotations

import shlex
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from tflm_hil import processes
from tflm_hil.boards.last_words import ending, last_words, read_log
from tflm_hil.errors import HilError

LIMIT_S = 30.0
OFF_S = 2.0
"""Capacitors keep a board alive for a moment."""


@dataclass(frozen=True)
class OwnCommand:
    """A command line; no shell reads it. `origin` is the key that it stands in, and `log` gets what it says."""

    line: str
    origin: str
    log: Path

    def run(self) -> None:
        """Run it to its end. Raises HilError if it is not installed, fails, or does not end in time."""
        program, *arguments = shlex.split(self.line)
        found = shutil.which(program)
        if found is None:
            raise HilError(f"{self.origin}: {program} is not installed; install it, or correct the line")
        status = processes.run([found, *arguments], self.log, LIMIT_S, lambda _seconds: None)
        if status == 0:
            return
        ended = f"did not end in {LIMIT_S:g} s" if status is None else ending(status)
        raise HilError(f"{self.origin}: `{self.line}` {ended} and said: {last_words(read_log(self.log), 1)}")


@dataclass(frozen=True)
class Power:
    """The switch of a board's power."""

    off: OwnCommand
    on: OwnCommand

    def cycle(self) -> None:
        """Switch off, wait, and switch on. Raises HilError."""
        self.off.run()
        time.sleep(OFF_S)
        self.on.run()

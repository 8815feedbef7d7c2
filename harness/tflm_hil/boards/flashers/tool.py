"""A tool that puts images onto a board: run within bounds, and not believed when it says that all went well."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tflm_hil import processes
from tflm_hil.boards.last_words import ending, last_words, read_log, shown
from tflm_hil.boards.serial import usb_port
from tflm_hil.errors import HilError
from tflm_hil.firmware.image import FirmwareImage
from tflm_hil.progress import Say

RESET_S = 20.0
"""A reset takes a second or two; a tool that takes longer waits for something."""

_QUIET_S = 2.0
_TAIL_LINES = 2


@dataclass(frozen=True)
class Place:
    """Where images go: `board` is what the user calls it, `port` its serial port or URL.

    `origin` is the file that says how it is flashed, and logs go to `run_dir`.
    """

    board: str
    port: str
    origin: Path
    run_dir: Path

    @property
    def usb_serial(self) -> str:
        """The serial number of the board's port, which for a probe on the board is the probe's; "" if it has none."""
        port = usb_port.find(self.port)
        return port.serial_number if port else ""


@dataclass(frozen=True)
class Call:
    """One call of a tool; `environment` are all its variables, None for ours."""

    argv: list[str]
    environment: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Complaint:
    """What `pattern` in the output of a tool means to people. It `fails` although the tool ends with 0."""

    pattern: str
    meaning: str
    fails: bool = False


class Method(Protocol):
    """A way to flash, made of its settings in targets/flash.py."""

    @property
    def tool(self) -> str:
        """What people call it."""

    @property
    def complaints(self) -> Sequence[Complaint]:
        """The first of these that it utters is what went wrong."""

    @property
    def timeout_s(self) -> int:
        """After so many seconds it is killed."""

    def write(self, image: FirmwareImage) -> Call:
        """How to put `image` onto the board and start it. Raises HilError with the remedy."""

    def reset(self) -> Call | None:
        """How to reset the board; None where the tool cannot do that alone. Raises HilError with the remedy."""


class ToolFlasher:
    """The board at `place`, flashed with `method`; see Flasher."""

    persistent = True

    def __init__(self, method: Method, place: Place) -> None:
        self._method = method
        self._place = place

    def flash(self, image: FirmwareImage, say: Say) -> str:
        """See Flasher. All that the tool says is in flash.log."""
        log = self._place.run_dir / "flash.log"
        board, tool = self._place.board, self._method.tool
        call = self._method.write(image)

        told = _QUIET_S

        def tick(passed: float) -> None:
            nonlocal told
            if passed >= told:
                say(f"flashing {board} with {tool}: {passed:.0f} s")
                told += 1.0

        status = processes.run(call.argv, log, self._method.timeout_s, tick, call.environment)
        said = read_log(log)
        end = last_words(said, _TAIL_LINES)
        complaint = _complaint(self._method, said)
        if status == 0 and not (complaint and complaint.fails):
            return f"{tool} ended with 0 and said: {end}; see {log}"
        ended = f"was killed after {self._method.timeout_s} s" if status is None else ending(status)
        problem = f"{complaint.meaning}; it {ended}" if complaint else f"it {ended} and said: {end}"
        raise HilError(f"{board}: {tool}: {problem}; see {log}")

    def reset(self) -> bool:
        """Reset the board; return False where the tool cannot, or is not there. What it says is in reset.log."""
        log = self._place.run_dir / "reset.log"
        try:
            call = self._method.reset()
            return call is not None and processes.run(call.argv, log, RESET_S, lambda _: None, call.environment) == 0
        except HilError:
            return False


def explained(method: Method, said: str) -> str:
    """Return what went wrong with a tool that `said` this."""
    complaint = _complaint(method, said)
    return complaint.meaning if complaint else f"it said: {last_words(shown(said), _TAIL_LINES)}"


def executable(place: Place, names: Sequence[str], remedy: str) -> str:
    """Return the path of the first of `names` that is installed: on PATH, or in the Python environment of the harness.

    Raises HilError with the `remedy`.
    """
    beside = str(Path(sys.executable).parent)
    for name in names:
        if found := shutil.which(name) or shutil.which(name, path=beside):
            return found
    raise HilError(f"{place.board}: {' or '.join(names)} is not installed, and this board is flashed with it: {remedy}")


def _complaint(method: Method, said: str) -> Complaint | None:
    return next((c for c in method.complaints if re.search(c.pattern, said)), None)

"""One run of Renode: its process, its monitor and its log."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tflm_hil.boards.emulator.process import EmulatorProcess, lines_of
from tflm_hil.boards.renode import scripts
from tflm_hil.boards.renode.monitor import Monitor
from tflm_hil.device.connection import PORT_ERRORS, Connection, SerialConnection
from tflm_hil.errors import HilError
from tflm_hil.firmware.image import FirmwareImage
from tflm_hil.targets import Renode

_ANSWER_S = 5.0
"""A monitor answers within milliseconds, on a busy machine within a second: one that takes longer stands still."""

_SCRIPT = "machine.resc"
_PAUSING = "Pausing emulation..."
_QUIT_S = 3.0
_END_S = 1.0
"""A Renode whose monitor has gone ends soon."""

_CRASHES = ("Fatal error:", "Unhandled exception")
"""How the .NET of Renode begins to tell of its end, on stderr."""


def command_line(renode: Path, folder: Path) -> list[str]:
    """Return the arguments that start the executable `renode` with its monitor on standard input and output.

    It opens neither windows nor ports, and what it keeps for itself goes to `folder`.
    """
    options = ("--disable-gui", "--console", "--plain", "--hide-log")
    return [str(renode), *options, "--config", str(folder / "config")]


class RenodeProcess(EmulatorProcess):
    """The executable `renode` with `image` in the memory of a machine as `emulation` says, halted at reset.

    What it says goes to `log`, and how it crashed to a file beside that. Raises HilError where it does not start.
    """

    name = "Renode"
    start_s = 30.0
    """Its runtime alone takes one or two seconds, on a busy machine several times that."""

    def __init__(self, renode: Path, emulation: Renode, image: FirmwareImage, log: Path) -> None:
        self._baud = image.target.uart.baud
        self._stderr = log.with_suffix(".stderr")
        super().__init__(lambda folder: command_line(renode, folder), self._stderr, log, pipes=True)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._monitor = Monitor(self._process.stdin, self._process.stdout, image.target.name)
        try:
            self._start(emulation, image)
        except HilError as error:
            self.close()
            raise HilError(f"Renode did not start: {error}") from None
        except BaseException:
            self.close()
            raise

    def execute(self, command: str, waste: int | None = None) -> str:
        """Return what the monitor answers; see Monitor. Raises HilError that says what is known of Renode."""
        return self._told(lambda: self._monitor.execute(command, _ANSWER_S, waste))

    def expect(self, command: str, answer: str, waste: int | None = None) -> None:
        """Raise HilError if the monitor answers anything else to `command`; see `execute`."""
        said = self.execute(command, waste)
        if said != answer:
            raise HilError(f"Renode's monitor: {command}: {' '.join(said.split()) or 'no answer'}; see {self.log}")

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Let no time pass for the machine, which must have nothing to say meanwhile. Raises HilError."""
        self.expect("pause", _PAUSING)
        yield
        self.run()

    def reset(self) -> None:
        """See EmulatorProcess."""
        # A core that waits for room on its line does not pause.
        with self._reading_line() as line:
            self.expect("pause", _PAUSING, line)
        self.expect("machine Reset", "")

    def open_line(self, name: str) -> Connection:
        """See EmulatorProcess."""
        try:
            # Opening it also throws away what has come before.
            return SerialConnection(str(self.folder / scripts.UART), self._baud, name, why=self.why_line_broke)
        except PORT_ERRORS as error:
            raise HilError(f"{name}: no line to Renode's UART: {error} ({self.last_words()})") from None

    def run(self) -> None:
        """See EmulatorProcess."""
        self.expect("start", "Starting emulation...")

    def trouble(self) -> str:
        """See EmulatorProcess."""
        if self.ended or self.stopped:
            return self.last_words()
        try:
            halted = self.execute(scripts.HALTED)
        except HilError:
            return self.last_words()
        return "" if halted == scripts.NO else f"Renode's core has halted, {self.complaint()}; see {self.log}"

    def complaint(self) -> str:
        """See EmulatorProcess."""
        stderr = lines_of(self._stderr)
        crash = [number for number, line in enumerate(stderr) if line.startswith(_CRASHES)]
        if crash:
            told = stderr[crash[0]]
            return " ".join(stderr[crash[0] : crash[0] + 2]) if told.endswith(":") else told
        lines = lines_of(self.log)
        errors = [line for line in lines if "[ERROR]" in line]
        return (errors or lines or stderr or [""])[-1]

    def close(self) -> None:
        """End Renode and remove its folder; closing twice is harmless."""
        self._monitor.hang_up()
        if not self.stopped:
            self.wait(_QUIT_S)
        self._monitor.close()
        super().close()

    def _start(self, emulation: Renode, image: FirmwareImage) -> None:
        folder, target = self.folder, image.target
        # Renode is given no path but those in the folder, because its monitor takes a space for the end of a word.
        (folder / "logs").symlink_to(self.log.parent.resolve())
        shutil.copyfile(image.elf, folder / scripts.PROGRAM)
        (folder / scripts.PLATFORM).write_text(scripts.platform(target, emulation), encoding="utf-8")
        (folder / _SCRIPT).write_text(scripts.script(target, emulation, folder), encoding="utf-8")
        self.log.unlink(missing_ok=True)
        self._told(lambda: self._monitor.greet(self.start_s))
        self.expect(f"logFile @{folder / 'logs' / self.log.name} true", "")
        said = self._told(lambda: self._monitor.execute(f"include @{folder / _SCRIPT}", self.start_s))
        if said.splitlines()[-1:] != [scripts.NO]:
            raise HilError(f"{' '.join(said.split()) or 'its script has no answer'}; see {self.log}")

    @contextmanager
    def _reading_line(self) -> Iterator[int]:
        """Open the UART's line for nothing but to read what comes."""
        try:
            line = os.open(self.folder / scripts.UART, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
        except OSError as error:
            raise HilError(f"no line to Renode's UART: {error.strerror} ({self.last_words()})") from None
        try:
            yield line
        finally:
            os.close(line)

    def _told(self, ask: Callable[[], str]) -> str:
        """Return what `ask` does; its HilError is told with what is known of Renode."""
        try:
            return ask()
        except HilError as error:
            self.wait(_END_S)
            self.mute = True
            raise HilError(f"{error} ({self.last_words()})") from None

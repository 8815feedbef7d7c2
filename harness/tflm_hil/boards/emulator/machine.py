"""The machine that an emulator stands in with: the parts of an emulated board."""

from abc import ABC, abstractmethod
from contextlib import suppress
from pathlib import Path
from typing import Generic, TypeVar

from tflm_hil.boards.emulator.process import EmulatorProcess
from tflm_hil.boards.protocols import Console
from tflm_hil.boards.spec import UART
from tflm_hil.device.connection import Connection
from tflm_hil.device.timeout import Deadline
from tflm_hil.errors import HilError
from tflm_hil.firmware.image import FirmwareImage
from tflm_hil.progress import Say

_HUNG_STARTS = 2
"""After so many starts that took all their time, another one is not worth it."""

P = TypeVar("P", bound=EmulatorProcess)


class EmulatedMachine(ABC, Generic[P]):
    """The emulator that runs an image, and another one after it died or stands still: Flasher and Lease of the board.

    The machine is halted when the emulator starts and on every reset, so nothing that it says while it boots is lost.
    What the emulator itself says goes to `log`.
    """

    kind: type[P]
    """What emulates it."""

    persistent = False

    def __init__(self, log: Path) -> None:
        self._log = log
        self._image: FirmwareImage | None = None
        self._process: P | None = None
        self._hung = 0

    @abstractmethod
    def start(self, image: FirmwareImage) -> P:
        """Start the emulator with `image`, halted at its reset vector. Raises HilError."""

    @property
    def process(self) -> P | None:
        """The emulator that was started last, None before the first boot and after the release."""
        return self._process

    @property
    def image(self) -> FirmwareImage:
        """The image that the machine runs. Raises HilError if there is none."""
        if self._image is None:
            raise HilError(
                "the emulated board has no image: it keeps none between runs, so run without --hil-flash=never"
            )
        return self._image

    @property
    def link(self) -> str:
        """The link to what it runs."""
        return UART

    @property
    def resets(self) -> bool:
        """Whether a reset of the machine is as good as a new emulator."""
        return True

    def flash(self, image: FirmwareImage, _say: Say) -> str:
        """See Flasher."""
        if self._image is None or (self._image.elf, self._image.elf_sha256) != (image.elf, image.elf_sha256):
            self.release()
            self._image, self._hung = image, 0
        return f"{self.kind.name} was given the image"

    def halted(self) -> P:
        """Return an emulator whose machine is halted at its reset vector; no line to its UART is open.

        Raises HilError.
        """
        process = self._process
        if process is not None and process.usable and self.resets:
            with suppress(HilError):
                process.reset()
                return process
        return self._start()

    def trouble(self) -> str:
        """See Lease."""
        return self._process.trouble() if self._process is not None else ""

    def release(self) -> None:
        """See Lease."""
        if self._process is not None:
            self._process.close()
        self._process = None

    def _start(self) -> P:
        image = self.image
        if self._hung >= _HUNG_STARTS:
            seconds = f"{self.kind.start_s:g} s"
            raise HilError(f"{self.kind.name} did not start within {seconds}, {self._hung} times; see {self._log}")
        self.release()
        deadline = Deadline(self.kind.start_s)
        try:
            self._process = self.start(image)
        except HilError:
            self._hung += deadline.expired
            raise
        self._hung = 0
        return self._process


class EmulatedConsole:
    """The link to a machine that has been halted; see Console."""

    def __init__(self, name: str, machine: EmulatedMachine[P]) -> None:
        self._name = name
        self._machine = machine
        self._connection: Connection | None = None

    @property
    def link(self) -> str:
        """See Console."""
        return self._machine.link

    def open(self) -> Connection:
        """See Console."""
        process = self._machine.process
        if process is None:
            raise HilError(f"{self._name}: {self._machine.kind.name} does not run; boot the board first")
        self._connection = process.open_line(self._name)
        return self._connection

    def close(self) -> None:
        """See Console."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class EmulatedReset:
    """See Reset. The machine runs from the moment that its line is open."""

    def __init__(self, machine: EmulatedMachine[P]) -> None:
        self._machine = machine

    def boot(self, console: Console) -> Connection:
        """See Reset."""
        console.close()
        process = self._machine.halted()
        connection = console.open()
        process.run()
        return connection

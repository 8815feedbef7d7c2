"""A board, made of its parts, and a kind of board, which makes one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from tflm_hil.boards.protocols import Console, Counter, ExecutionRecord, Flasher, Lease, Reset, Sensor
from tflm_hil.boards.spec import BoardSpec
from tflm_hil.device.connection import Connection
from tflm_hil.device.device_info import DeviceInfo
from tflm_hil.errors import HilError
from tflm_hil.extensions import Extension
from tflm_hil.firmware.image import FirmwareImage
from tflm_hil.progress import Say
from tflm_hil.progress import silent as unsaid
from tflm_hil.targets import Target


class Board:
    """A place where an image runs. Use: `flash`, then `connect` for each session, `close` at the end.

    `name` is what the user calls it. `emulator` is its name and version, e.g. `qemu 7.2.22`; None on hardware.
    `execution` is None where nothing sees what is executed, and `sensor` where nothing feeds one.
    """

    def __init__(
        self,
        name: str,
        emulator: str | None,
        console: Console,
        reset: Reset,
        flasher: Flasher,
        counter: Counter,
        lease: Lease,
        execution: ExecutionRecord | None = None,
        sensor: Sensor | None = None,
    ) -> None:
        self.name = name
        self.emulator = emulator
        self._console = console
        self._reset = reset
        self._flasher = flasher
        self._counter = counter
        self._lease = lease
        self._execution = execution
        self.sensor = sensor

    def check(self, info: DeviceInfo) -> None:
        """See Counter."""
        self._counter.check(info)

    def unit(self, info: DeviceInfo) -> str:
        """See Counter."""
        return self._counter.unit(info)

    def counts(self, info: DeviceInfo, ticks: int) -> int:
        """See Counter."""
        return self._counter.counts(info, ticks)

    @property
    def persistent(self) -> bool:
        """See Flasher."""
        return self._flasher.persistent

    def flash(self, image: FirmwareImage, say: Say = unsaid) -> str:
        """See Flasher. The line is closed before, because tools may need it, and a drive that is written goes away."""
        self._console.close()
        return self._flasher.flash(image, say)

    def connect(self) -> Connection:
        """Reset the board and open its line in time to see it boot. Raises HilError with the remedy.

        The connection stays the board's to close; one that an earlier call returned is dead from then on.
        """
        try:
            return self._reset.boot(self._console)
        except HilError:
            self.close()
            raise

    @property
    def link(self) -> str:
        """See Console."""
        return self._console.link

    def trouble(self) -> str:
        """See Lease."""
        return self._lease.trouble()

    @property
    def execution(self) -> ExecutionRecord:
        """See ExecutionRecord. Raises HilError if this board has none."""
        if self._execution is None:
            raise HilError(f"{self.name}: nothing sees what it executes, so there is no coverage")
        return self._execution

    def close(self) -> None:
        """Close the line and release the board; closing twice is harmless."""
        try:
            self._console.close()
        finally:
            self._lease.release()

    def guard(self, extension: Extension) -> None:
        """Have every part of `extension` report its exceptions."""
        for part in ("_console", "_reset", "_flasher", "_counter", "_lease"):
            setattr(self, part, extension.guarded(getattr(self, part)))
        if self._execution is not None:
            self._execution = extension.guarded(self._execution)
        if self.sensor is not None:
            self.sensor = extension.guarded(self.sensor)


class BoardKind(Protocol):
    """What `--board` names with `KIND:ADDRESS`. An entry point of the group `tflm_hil.boards` makes one."""

    def check(self, spec: BoardSpec, targets: Sequence[Target]) -> str | None:
        """Refuse what cannot be had, before anything is built: HilError with the remedy.

        Returns the emulator and its version, None for hardware.
        """

    def links(self, spec: BoardSpec) -> Sequence[str]:
        """Return the links that such a board may have, UART or RTT; if it depends on the image, the preferred first."""

    def processes(self, spec: BoardSpec) -> int | None:
        """Return how many processes may have such a board at a time, None for any number."""

    def open(self, spec: BoardSpec, targets: Sequence[Target], run_dir: Path, say: Say) -> Board:
        """Return the board for images of `targets`; what it has to keep in files goes to `run_dir`.

        `say` is told what it waits for, such as a board that another run has.
        """

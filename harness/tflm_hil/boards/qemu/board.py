"""The emulated board: QEMU, with instructions for a clock."""

import contextlib
import functools
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tflm_hil.boards.board import Board
from tflm_hil.boards.counters import InstructionCounter
from tflm_hil.boards.protocols import Console
from tflm_hil.boards.qemu.process import START_S, QemuProcess
from tflm_hil.boards.spec import BoardSpec
from tflm_hil.device.connection import Connection, SocketConnection
from tflm_hil.device.timeout import Deadline
from tflm_hil.errors import HilError
from tflm_hil.firmware.image import FirmwareImage
from tflm_hil.progress import Say
from tflm_hil.targets import Emulation, Target

QEMU = "qemu-system-arm"

_HUNG_STARTS = 2
"""After so many starts that took all their time, another one is not worth it."""


def command_line(target: Target, elf: Path, uart: Path, monitor: Path) -> list[str]:
    """Return the arguments that run `elf` on `target`, halted at its reset vector.

    Its UART and the monitor are unix sockets that QEMU listens on.
    """
    emulation = emulation_of(target)
    return [
        emulation.program,
        *("-M", emulation.machine),
        *(("-icount", f"shift={emulation.icount_shift}") if emulation.counter_hz else ()),
        *("-display", "none", "-monitor", "none", "-nodefaults"),
        *("-chardev", f"socket,id=uart,path={_escaped(uart)},server=on,wait=off"),
        *(["-serial", "null"] * emulation.serial),
        *("-serial", "chardev:uart"),
        *("-qmp", f"unix:{_escaped(monitor)},server=on,wait=off"),
        "-S",
        *(emulation.loader, str(elf)),
    ]


def emulation_of(target: Target) -> Emulation:
    """Return how QEMU stands in for `target`. Raises HilError if it does not."""
    if target.emulation is None:
        raise HilError(f"no emulator stands in for target {target.name}: {target.file} has no [qemu]; use a real board")
    return target.emulation


def _escaped(path: Path) -> str:
    return str(path).replace(",", ",,")


@functools.cache
def version() -> str:
    """Return QEMU's version, e.g. `7.2.22`. Raises HilError where there is none."""
    if shutil.which(QEMU) is None:
        raise HilError(f"{QEMU} is not installed; the emulated board needs it: apt-get install qemu-system-arm")
    result = subprocess.run([QEMU, "--version"], capture_output=True, text=True, check=False)
    found = re.search(r"version (\d[\w.]*)", result.stdout)
    if found is None:
        said = " ".join(result.stderr.split()) or "it says nothing"
        raise HilError(f"{QEMU} --version does not work: {said}: apt-get install --reinstall qemu-system-arm")
    return found[1]


class QemuMachine:
    """The QEMU that runs an image, and another one after it died or stands still: Flasher and Lease of the board.

    The machine is halted when QEMU starts and on every reset, so nothing that it says while it boots is lost. What QEMU
    itself says goes to `log`.
    """

    def __init__(self, log: Path) -> None:
        self._log = log
        self._image: FirmwareImage | None = None
        self._process: QemuProcess | None = None
        self._hung = 0

    @property
    def process(self) -> QemuProcess | None:
        """The QEMU that was started last, None before the first boot and after the release."""
        return self._process

    @property
    def emulation(self) -> Emulation:
        """How QEMU stands in for what the image is built for."""
        return emulation_of(self._loaded.target)

    def flash(self, image: FirmwareImage) -> None:
        """See Flasher."""
        if self._image is None or (self._image.elf, self._image.elf_sha256) != (image.elf, image.elf_sha256):
            self.release()
            self._image, self._hung = image, 0

    def halted(self) -> QemuProcess:
        """Return a QEMU whose machine is halted at its reset vector; no line to its UART is open. Raises HilError."""
        process = self._process
        if process is not None and process.usable and not process.stopped and self.emulation.resets:
            with contextlib.suppress(HilError):
                process.execute("stop")
                process.execute("system_reset")
                process.await_line(connected=False)
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

    @property
    def _loaded(self) -> FirmwareImage:
        if self._image is None:
            raise HilError(
                "the emulated board has no image: it keeps none between runs, so run without --hil-flash=never"
            )
        return self._image

    def _start(self) -> QemuProcess:
        target, elf = self._loaded.target, self._loaded.elf
        if self._hung >= _HUNG_STARTS:
            raise HilError(f"QEMU did not start within {START_S:g} s, {self._hung} times; see {self._log}")
        self.release()
        deadline = Deadline(START_S)
        try:
            self._process = QemuProcess(lambda uart, monitor: command_line(target, elf, uart, monitor), self._log)
        finally:
            self._hung = self._hung + 1 if deadline.expired else 0
        return self._process


class QemuConsole:
    """The UART of a machine that has been halted; see Console."""

    def __init__(self, name: str, machine: QemuMachine) -> None:
        self._name = name
        self._machine = machine
        self._connection: Connection | None = None

    def open(self) -> Connection:
        """See Console."""
        process = self._machine.process
        if process is None:
            raise HilError(f"{self._name}: QEMU does not run; boot the board first")
        self._connection = SocketConnection(process.dial("uart"), self._name, process.why_line_broke)
        return self._connection

    def close(self) -> None:
        """See Console."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class QemuReset:
    """See Reset. The machine runs from the moment that its line is open."""

    def __init__(self, machine: QemuMachine) -> None:
        self._machine = machine

    def boot(self, console: Console) -> Connection:
        """See Reset."""
        console.close()
        process = self._machine.halted()
        connection = console.open()
        process.await_line(connected=True)
        process.execute("cont")
        return connection


class QemuBoard(Board):
    """The board `name`, whatever target an image is for; what QEMU says goes to `run_dir`/qemu.log."""

    def __init__(self, name: str, run_dir: Path) -> None:
        self.machine = QemuMachine(run_dir / "qemu.log")
        super().__init__(
            name,
            f"qemu {version()}",
            console=QemuConsole(name, self.machine),
            reset=QemuReset(self.machine),
            flasher=self.machine,
            counter=InstructionCounter(name, lambda: self.machine.emulation),
            lease=self.machine,
        )


class QemuKind:
    """Boards that QEMU emulates; see BoardKind."""

    flashes = True

    def check(self, spec: BoardSpec, targets: Sequence[Target]) -> str:
        """See BoardKind."""
        for target in targets:
            emulation_of(target)
        if spec.address or spec.options:
            raise HilError(f"board {spec.text}: {spec.kind}: stands alone; name the chip with a target")
        return f"qemu {version()}"

    def open(self, spec: BoardSpec, _targets: Sequence[Target], run_dir: Path, _say: Say) -> Board:
        """See BoardKind."""
        return QemuBoard(spec.text, run_dir)

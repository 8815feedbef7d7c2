"""The emulated board: QEMU, with instructions for a clock."""

import functools
import re
import shutil
import subprocess
from pathlib import Path

from tflm_hil.boards.qemu_process import START_S, QemuProcess
from tflm_hil.boards.targets import Target, find_target
from tflm_hil.device.connection import Connection, SocketConnection
from tflm_hil.device.device_info import Counter, DeviceInfo
from tflm_hil.device.timeout import Deadline
from tflm_hil.errors import HilError
from tflm_hil.firmware.image import FirmwareImage

QEMU = "qemu-system-arm"

_HUNG_STARTS = 2
"""After so many starts that took all their time, another one is not worth it."""


def command_line(target: Target, elf: Path, uart: Path, monitor: Path) -> list[str]:
    """Return the arguments that run `elf` on `target`, halted at its reset vector.

    Its UART and the monitor are unix sockets that QEMU listens on.
    """
    emulation = target.emulation
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


class QemuBoard:
    """A board that QEMU emulates; see Board. What QEMU itself says goes to `run_dir`/qemu.log.

    The machine is halted when QEMU starts and on every reset, and runs from the moment that the serial line is open, so
    nothing that it says while it boots is lost. A QEMU that has died or stands still is replaced.
    """

    name = "emulated"

    def __init__(self, run_dir: Path) -> None:
        self.emulator: str | None = f"qemu {version()}"
        self._log = run_dir / "qemu.log"
        self._image: FirmwareImage | None = None
        self._process: QemuProcess | None = None
        self._connection: Connection | None = None
        self._hung = 0

    @property
    def pid(self) -> int | None:
        """Process id of QEMU while it runs."""
        return self._process.pid if self._process is not None else None

    def unit(self, info: DeviceInfo) -> str:
        """See Board."""
        if info.counter == Counter.NONE:
            return ""
        if info.counter == Counter.DWT:
            raise HilError(f"{self.name}: the image counts with {info.counter.name}, which stands still in QEMU")
        return "instructions"

    def counts(self, info: DeviceInfo, ticks: int) -> int:
        """See Board."""
        assert self._image is not None
        if info.counter == Counter.NONE:
            return 0
        instructions = find_target(self._image.target).emulation.instructions
        return instructions(ticks) - instructions(info.overhead_ticks)

    def flash(self, image: FirmwareImage) -> None:
        """See Board."""
        if self._image is None or (self._image.elf, self._image.elf_sha256) != (image.elf, image.elf_sha256):
            self.close()
            self._image, self._hung = image, 0

    def connect(self) -> Connection:
        """See Board."""
        process = self._rewound() or self._start()
        self._connection = SocketConnection(process.dial("uart"), self.name, process.why_line_broke)
        process.await_line(connected=True)
        process.execute("cont")
        return self._connection

    def trouble(self) -> str:
        """See Board."""
        return self._process.trouble() if self._process is not None else ""

    def close(self) -> None:
        """See Board."""
        if self._connection is not None:
            self._connection.close()
        if self._process is not None:
            self._process.close()
        self._connection = self._process = None

    @property
    def _resets(self) -> bool:
        return self._image is not None and find_target(self._image.target).emulation.resets

    def _rewound(self) -> QemuProcess | None:
        """Return the running QEMU, halted at its reset vector; None where it has to be replaced."""
        process = self._process
        if process is None or not process.usable or process.stopped or not self._resets:
            return None
        if self._connection is not None:
            self._connection.close()
        try:
            process.execute("stop")
            process.execute("system_reset")
            process.await_line(connected=False)
        except HilError:
            return None
        return process

    def _start(self) -> QemuProcess:
        if self._image is None:
            raise HilError(
                "the emulated board has no image: it keeps none between runs, so run without --hil-flash=never"
            )
        if self._hung >= _HUNG_STARTS:
            raise HilError(f"QEMU did not start within {START_S:g} s, {self._hung} times; see {self._log}")
        self.close()
        image, target = self._image, find_target(self._image.target)
        deadline = Deadline(START_S)
        try:
            self._process = QemuProcess(lambda uart, monitor: command_line(target, image.elf, uart, monitor), self._log)
        finally:
            self._hung = self._hung + 1 if deadline.expired else 0
        return self._process

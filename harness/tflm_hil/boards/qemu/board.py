"""The emulated board: QEMU, with instructions for a clock."""

import functools
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from tflm_hil.boards.board import Board
from tflm_hil.boards.counters import InstructionCounter
from tflm_hil.boards.emulator.link import name_of_link, place_of_rings
from tflm_hil.boards.emulator.machine import EmulatedConsole, EmulatedMachine, EmulatedReset
from tflm_hil.boards.qemu.execution import Execution
from tflm_hil.boards.qemu.process import QemuProcess
from tflm_hil.boards.spec import AUTO, RTT, UART, BoardSpec
from tflm_hil.device.device_info import Counter
from tflm_hil.errors import HilError
from tflm_hil.firmware.image import FirmwareImage
from tflm_hil.progress import Say
from tflm_hil.targets import Qemu, Target

QEMU = "qemu-system-arm"


def command_line(target: Target, elf: Path, uart: Path, monitor: Path, further: Sequence[str] = ()) -> list[str]:
    """Return the arguments that run `elf` on `target`, halted at its reset vector.

    Its UART and the monitor are unix sockets that QEMU listens on. `further` are options of other modules.
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
        *further,
        *(emulation.loader, str(elf)),
    ]


def emulation_of(target: Target) -> Qemu:
    """Return how QEMU stands in for `target`. Raises HilError if it does not."""
    if target.qemu is None:
        instead = "emulate it with renode" if target.renode else "use a real board"
        raise HilError(f"QEMU does not emulate target {target.name}: {target.file} has no [qemu]; {instead}")
    return target.qemu


def rates(target: Target) -> dict[Counter, float]:
    """Return how many ticks of its counters pass in an instruction of `target`. The cycle counter stands still."""
    ticks = emulation_of(target).ticks_per_instruction
    return {Counter.SYSTICK: ticks, Counter.TIMER: ticks} if ticks else {}


def counter(name: str, target: Callable[[], Target]) -> InstructionCounter:
    """Return the counter of board `name` while it runs an image for `target`."""
    return InstructionCounter(name, lambda: rates(target()))


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


class QemuMachine(EmulatedMachine[QemuProcess]):
    """See EmulatedMachine."""

    kind = QemuProcess

    @property
    def resets(self) -> bool:
        """See EmulatedMachine."""
        return emulation_of(self.image.target).resets

    def __init__(self, log: Path, link: str) -> None:
        super().__init__(log)
        self.execution = Execution()
        self._asked_link = link

    @property
    def link(self) -> str:
        """See EmulatedMachine."""
        return name_of_link(place_of_rings(self.image, self._asked_link))

    def start(self, image: FirmwareImage) -> QemuProcess:
        """See EmulatedMachine."""
        further = self.execution.options(image.elf)
        return QemuProcess(
            lambda uart, monitor: command_line(image.target, image.elf, uart, monitor, further),
            self._log,
            place_of_rings(image, self._asked_link),
        )


class QemuBoard(Board):
    """The board `name`, whatever target an image is for; what QEMU says goes to `run_dir`/qemu.log.

    `link` is the one to use: UART, RTT or AUTO.
    """

    def __init__(self, name: str, run_dir: Path, link: str = AUTO) -> None:
        self.machine = QemuMachine(run_dir / "qemu.log", link)
        super().__init__(
            name,
            f"qemu {version()}",
            console=EmulatedConsole(name, self.machine),
            reset=EmulatedReset(self.machine),
            flasher=self.machine,
            counter=counter(name, lambda: self.machine.image.target),
            lease=self.machine,
            execution=self.machine.execution,
        )


class QemuKind:
    """Boards that QEMU emulates; see BoardKind."""

    def check(self, spec: BoardSpec, targets: Sequence[Target]) -> str:
        """See BoardKind."""
        for target in targets:
            emulation_of(target)
        if spec.address or spec.options:
            raise HilError(f"board {spec.text}: {spec.kind}: stands alone; name the chip with a target")
        return f"qemu {version()}"

    def links(self, _spec: BoardSpec) -> Sequence[str]:
        """See BoardKind."""
        return RTT, UART

    def processes(self, _spec: BoardSpec) -> None:
        """See BoardKind."""

    def open(self, spec: BoardSpec, _targets: Sequence[Target], run_dir: Path, _say: Say) -> Board:
        """See BoardKind."""
        return QemuBoard(spec.text, run_dir, spec.link)

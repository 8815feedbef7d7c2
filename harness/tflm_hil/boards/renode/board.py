"""The emulated board: Renode, whose counter tells instructions."""

from collections.abc import Callable, Sequence
from pathlib import Path

from tflm_hil.boards.board import Board
from tflm_hil.boards.counters import InstructionCounter
from tflm_hil.boards.emulator.machine import EmulatedConsole, EmulatedMachine, EmulatedReset
from tflm_hil.boards.renode import installation
from tflm_hil.boards.renode.process import RenodeProcess
from tflm_hil.boards.renode.sensor import RenodeSensor
from tflm_hil.boards.spec import UART, BoardSpec
from tflm_hil.device.device_info import Counter
from tflm_hil.errors import HilError
from tflm_hil.firmware.image import FirmwareImage
from tflm_hil.progress import Say
from tflm_hil.targets import Renode, Target

_INACCURACY = 0.05
"""Counts of whole inferences were measured to differ from those of QEMU's execution trace by up to 1 %."""


def emulation_of(target: Target) -> Renode:
    """Return how Renode stands in for `target`. Raises HilError if it does not."""
    if target.renode is None:
        instead = "emulate it with qemu" if target.qemu else "use a real board"
        raise HilError(f"Renode does not emulate target {target.name}: {target.file} has no [renode]; {instead}")
    return target.renode


def rates(target: Target) -> dict[Counter, float]:
    """Return how many ticks of its counters pass in an instruction of `target`."""
    ticks = emulation_of(target).ticks_per_instruction
    return {Counter.DWT: ticks, Counter.SYSTICK: ticks, Counter.TIMER: ticks}


def counter(name: str, target: Callable[[], Target]) -> InstructionCounter:
    """Return the counter of board `name` while it runs an image for `target`."""
    return InstructionCounter(name, lambda: rates(target()), _INACCURACY)


def version() -> str:
    """Return the version of the Renode that is used, e.g. `1.16.1`. Raises HilError; see installation."""
    return installation.version(installation.find())


class RenodeMachine(EmulatedMachine[RenodeProcess]):
    """See EmulatedMachine."""

    kind = RenodeProcess

    def start(self, image: FirmwareImage) -> RenodeProcess:
        """See EmulatedMachine."""
        return RenodeProcess(installation.find(), emulation_of(image.target), image, self._log)


class RenodeBoard(Board):
    """The board `name`, whatever target an image is for; what Renode says goes to `run_dir`/renode.log."""

    def __init__(self, name: str, run_dir: Path) -> None:
        self.machine = RenodeMachine(run_dir / "renode.log")
        super().__init__(
            name,
            f"renode {version()}",
            console=EmulatedConsole(name, self.machine),
            reset=EmulatedReset(self.machine),
            flasher=self.machine,
            counter=counter(name, lambda: self.machine.image.target),
            lease=self.machine,
            sensor=RenodeSensor(self.machine),
        )


class RenodeKind:
    """Boards that Renode emulates; see BoardKind."""

    flashes = True

    def check(self, spec: BoardSpec, targets: Sequence[Target]) -> str:
        """See BoardKind."""
        for target in targets:
            emulation_of(target)
        if spec.address or spec.options:
            raise HilError(f"board {spec.text}: {spec.kind}: stands alone; name the chip with a target")
        return f"renode {version()}"

    def links(self, _spec: BoardSpec) -> Sequence[str]:
        """See BoardKind."""
        return (UART,)

    def processes(self, _spec: BoardSpec) -> None:
        """See BoardKind."""

    def open(self, spec: BoardSpec, _targets: Sequence[Target], run_dir: Path, _say: Say) -> Board:
        """See BoardKind."""
        return RenodeBoard(spec.text, run_dir)

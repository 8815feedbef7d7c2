"""From the names of a board, an emulator and targets to a board."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from tflm_hil.boards import port_name, qemu
from tflm_hil.boards.board import Board
from tflm_hil.boards.qemu import QemuBoard
from tflm_hil.boards.serial_board import SerialBoard
from tflm_hil.boards.targets import Target, find_targets
from tflm_hil.errors import HilError

EMULATED = "emulated"
AUTO = "auto"
EMULATORS = ("qemu",)


@dataclasses.dataclass(frozen=True)
class BoardChoice:
    """A board that was asked for and can be had. `name` is `emulated`, a port or a URL."""

    name: str
    emulator: str | None
    targets: tuple[Target, ...]

    def describe(self) -> str:
        """Return e.g. `emulated (qemu 7.2.22, stm32f4)`."""
        return f"{self.name} ({', '.join(filter(None, (self.emulator, *(target.name for target in self.targets))))})"

    def open(self, run_dir: Path) -> Board:
        """Return the board; what it has to keep in files goes to `run_dir`."""
        return QemuBoard(run_dir) if self.name == EMULATED else SerialBoard(self.name, self.targets[0])


def choose(board: str, emulator: str, names: Sequence[str]) -> BoardChoice:
    """Return the board for the values of the three options.

    `names` are those of the targets. `auto` is the one board that is connected over USB; the emulated board where there
    is none. Raises HilError for anything that does not exist, for `auto` with several boards, and for a real board with
    several targets.
    """
    targets = find_targets(names)
    if emulator not in (AUTO, *EMULATORS):
        raise HilError(f"unknown emulator {emulator}; choose {AUTO} or {' or '.join(EMULATORS)}")
    if board == AUTO:
        board = _only_board()
    if board == EMULATED:
        return BoardChoice(EMULATED, f"qemu {qemu.version()}", targets)
    if emulator != AUTO:
        raise HilError(
            f"emulator {emulator}: {board} is not an emulated board; name no emulator, or choose board {EMULATED}"
        )
    port_name.check(board)
    if len(targets) != 1:
        raise HilError(f"{len(targets)} targets for {board}, which is one chip; name one target")
    return BoardChoice(board, None, targets)


def _only_board() -> str:
    connected = port_name.usb_ports()
    if len(connected) > 1:
        candidates = "; ".join(f"{port} ({what})" if what else port for port, what in connected.items())
        raise HilError(f"board {AUTO}: several boards are connected; name one: {candidates}")
    return next(iter(connected), EMULATED)

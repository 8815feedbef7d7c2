"""From --board, --emulator and --target to a board."""

import dataclasses
import re
from collections.abc import Sequence
from pathlib import Path

from harness.boards import qemu
from harness.boards.board import Board
from harness.boards.qemu import QemuBoard
from harness.boards.serial_port import URL_SCHEMES, SerialBoard, is_url, list_of_ports, usb_ports
from harness.boards.targets import Target, find_targets
from harness.errors import HilError

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
        raise HilError(f"--emulator={emulator}: only {', '.join(EMULATORS)} is supported so far")
    if board == AUTO:
        board = _only_board()
    if board == EMULATED:
        return BoardChoice(EMULATED, f"qemu {qemu.version()}", targets)
    if emulator != AUTO:
        raise HilError(f"--emulator={emulator}: {board} is no emulated board; leave it out, or take --board={EMULATED}")
    _check_port(board)
    if len(targets) != 1:
        raise HilError(f"--target: {board} is one chip, and {len(targets)} targets are asked for; say which it is")
    return BoardChoice(board, None, targets)


def _only_board() -> str:
    connected = usb_ports()
    if len(connected) > 1:
        raise HilError(f"--board={AUTO}: several boards are connected: say which: {', '.join(connected)}")
    return connected[0] if connected else EMULATED


def _check_port(board: str) -> None:
    if is_url(board):
        scheme = board.partition("://")[0]
        if scheme not in URL_SCHEMES:
            known = ", ".join(f"{known}://HOST:PORT" for known in URL_SCHEMES)
            raise HilError(f"--board={board}: no such kind of URL; there is {known}")
        if not re.fullmatch(r"[^:/]+:\d{1,5}(\?.*|/.*)?", board.partition("://")[2]):
            raise HilError(f"--board={board}: expected {scheme}://HOST:PORT")
    elif re.fullmatch(r"COM\d+", board, re.IGNORECASE):
        return  # Windows has no file to look for; opening it tells.
    elif "/" not in board:
        raise HilError(f"--board={board}: no such board; there is {EMULATED}, {AUTO}, or a port; {list_of_ports()}")
    elif not Path(board).exists():
        raise HilError(f"--board={board}: there is no such port; {list_of_ports()}")

"""From the names of a board, an emulator and targets to a board."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tflm_hil import extensions
from tflm_hil.boards.board import Board, BoardKind
from tflm_hil.boards.serial import port_name
from tflm_hil.boards.spec import AUTO, EMULATED, BoardSpec, parse
from tflm_hil.errors import HilError
from tflm_hil.extensions import Extension, ExtensionError
from tflm_hil.progress import Say
from tflm_hil.targets import Target

GROUP = "tflm_hil.boards"
EMULATORS = ("qemu",)
"""The kinds that can stand for the emulated board, the default first."""


@dataclass(frozen=True)
class BoardChoice:
    """A board that was asked for and can be had. `emulator` is its name and version, None on hardware."""

    spec: BoardSpec
    kind: BoardKind
    extension: Extension
    emulator: str | None
    targets: tuple[Target, ...]

    @property
    def name(self) -> str:
        """What the user calls it."""
        return self.spec.text

    def describe(self) -> str:
        """Return e.g. `emulated (qemu 7.2.22, stm32f4)`."""
        return f"{self.name} ({', '.join(filter(None, (self.emulator, *(target.name for target in self.targets))))})"

    def open(self, run_dir: Path, say: Say) -> Board:
        """Return the board; see BoardKind."""
        board = self.kind.open(self.spec, self.targets, run_dir, say)
        if not isinstance(board, Board):
            raise ExtensionError(f"{self.extension}: open() returns a {board.__class__.__name__}; it should be a Board")
        board.guard(self.extension)
        return board


def choose(board: str, emulator: str, targets: Sequence[Target]) -> BoardChoice:
    """Return the board for the values of the two options, and for `targets`.

    `auto` is the one board that is connected over USB; the emulated board if there is none. Raises HilError for what
    does not exist, for `auto` with several boards, and for a real board with several targets.
    """
    spec, extension, kind = _find(board, emulator)
    return BoardChoice(spec, kind, extension, kind.check(spec, targets), tuple(targets))


def flashes(board: str) -> bool:
    """Return whether images can be put on `board` from here. Raises HilError for an unknown board."""
    return _find(board, AUTO)[2].flashes


def _find(board: str, emulator: str) -> tuple[BoardSpec, Extension, BoardKind]:
    if emulator not in (AUTO, *EMULATORS):
        raise HilError(f"unknown emulator {emulator}; choose {AUTO} or {' or '.join(EMULATORS)}")
    spec = parse(_only_board() if board == AUTO else board, list(extensions.discover(GROUP)))
    if spec.kind == EMULATED:
        spec = replace(spec, kind=EMULATORS[0] if emulator == AUTO else emulator)
    elif emulator != AUTO:
        raise HilError(
            f"emulator {emulator}: {spec.text} is not the emulated board; name no emulator, or choose board {EMULATED}"
        )
    extension = extensions.find(GROUP, spec.kind)
    return spec, extension, extension.make()


def _only_board() -> str:
    connected = port_name.usb_ports()
    if len(connected) > 1:
        candidates = "; ".join(f"{port} ({what})" if what else port for port, what in connected.items())
        raise HilError(f"board {AUTO}: several boards are connected; name one: {candidates}")
    return next(iter(connected), EMULATED)

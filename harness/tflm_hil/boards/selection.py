"""From the names of a board, an emulator and targets to a board."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tflm_hil import extensions
from tflm_hil.boards.board import Board, BoardKind
from tflm_hil.boards.board_file import NamedBoard
from tflm_hil.boards.serial import port_name, usb_port
from tflm_hil.boards.serial.usb_port import UsbPort
from tflm_hil.boards.spec import AUTO, EMULATED, RTT, SERIAL, BoardSpec, parse
from tflm_hil.errors import HilError
from tflm_hil.extensions import Extension, ExtensionError
from tflm_hil.progress import Say
from tflm_hil.targets import Target

GROUP = "tflm_hil.boards"
EMULATORS = ("qemu", "renode")
"""The kinds that can stand for the emulated board, the default first."""

ALL = "all"
"""Instead of an emulator's name: every one that there is."""


@dataclass(frozen=True)
class FoundBoard:
    """A board that there is. `remark` says why it was taken, if the user left that open."""

    spec: BoardSpec
    kind: BoardKind
    extension: Extension
    remark: str

    @property
    def target(self) -> str | None:
        """The target that it is, as far as hil-boards.toml says."""
        return self.spec.named.table.target if self.spec.named else None

    @property
    def origin(self) -> str:
        """What to call that place in a message."""
        return self.spec.named.origin if self.spec.named else ""

    @property
    def identity(self) -> tuple[str, str]:
        """What it has in common with the same board under another name."""
        spec = self.spec
        return spec.kind, port_name.canonical(spec.address) if spec.kind == SERIAL else spec.address

    def check(self, targets: Sequence[Target]) -> BoardChoice:
        """Return the board for `targets`.

        Raises HilError for other targets than hil-boards.toml names, for a real board with several, for a link that the
        board does not have, and for an emulator that is missing.
        """
        asked = [target.name for target in targets]
        if self.target not in (None, *asked):
            raise HilError(
                f"board {self.spec.text} is a {self.target} ({self.origin}), not {', '.join(asked)}:"
                " leave the target out, or choose another board"
            )
        emulator, links, asked_link = self.kind.check(self.spec, targets), self.kind.links(self.spec), self.spec.link
        if asked_link not in (AUTO, *links):
            remedy = "name a server of RTT, rtt://HOST:PORT" if asked_link == RTT else "leave the link out"
            raise HilError(f"board {self.spec.text} has no link {asked_link}, only {' and '.join(links)}: {remedy}")
        return BoardChoice(self, emulator, tuple(targets), tuple(links) if asked_link == AUTO else (asked_link,))


@dataclass(frozen=True)
class BoardChoice:
    """A board that was asked for and can be had. `emulator` is its name and version, None on hardware.

    If it has several `links`, the image decides, and the first is that of our firmware.
    """

    found: FoundBoard
    emulator: str | None
    targets: tuple[Target, ...]
    links: tuple[str, ...]

    @property
    def name(self) -> str:
        """What the user calls it."""
        return self.found.spec.text

    def describe(self) -> str:
        """Return e.g. `emulated (qemu 7.2.22, stm32f4)`."""
        spec = self.found.spec
        said = [self.emulator, spec.address if spec.named else None, *(target.name for target in self.targets)]
        remark = f"; {self.found.remark}" if self.found.remark else ""
        return f"{self.name} ({', '.join(filter(None, said))}{remark})"

    def over(self, link: str) -> BoardChoice:
        """Return the same board with this link. Raises HilError if it does not have it."""
        return replace(self.found, spec=replace(self.found.spec, link=link)).check(self.targets)

    def processes(self) -> int | None:
        """Return how many processes may have it at a time, None for any number; see BoardKind."""
        return self.found.kind.processes(self.found.spec)

    def open(self, run_dir: Path, say: Say) -> Board:
        """Return the board; see BoardKind."""
        board = self.found.kind.open(self.found.spec, self.targets, run_dir, say)
        if not isinstance(board, Board):
            raise ExtensionError(
                f"{self.found.extension}: open() returns a {board.__class__.__name__}; it should be a Board"
            )
        board.guard(self.found.extension)
        return board


@dataclass(frozen=True)
class BoardSet:
    """Where the tests run: a board, or several of one target that share the work."""

    choices: tuple[BoardChoice, ...]

    @property
    def name(self) -> str:
        """What the user calls it."""
        return ",".join(choice.name for choice in self.choices)

    @property
    def kind(self) -> str:
        """The kind of the first board; several emulated boards are never of one set."""
        return self.choices[0].found.spec.kind

    @property
    def emulator(self) -> str | None:
        """The name and version of the emulator, None on hardware."""
        return self.choices[0].emulator

    def processes(self) -> int | None:
        """Return how many processes can have one of them each, None for any number."""
        each = [choice.processes() for choice in self.choices]
        return None if None in each else sum(number for number in each if number)

    def describe(self) -> str:
        """Return e.g. `emulated (qemu 7.2.22, stm32f4)`."""
        return " and ".join(choice.describe() for choice in self.choices)


def find_each(
    boards: Sequence[str], emulator: str, named: Mapping[str, NamedBoard], link: str = AUTO
) -> list[list[FoundBoard]]:
    """Return what `find` does for `boards`, which share the work; for the emulator ALL, once for each emulator.

    Raises HilError, also for boards that cannot share work.
    """
    emulators = EMULATORS if emulator == ALL else (emulator,)
    found = [[find(board, each, named, link) for board in boards] for each in emulators]
    for each in found:
        _check_sharing(each)
    return found


def check_each(
    found: Sequence[Sequence[FoundBoard]], targets: Sequence[Target]
) -> tuple[tuple[BoardSet, ...], dict[str, str]]:
    """Return the boards for `targets`, and of several emulators those that cannot be had, each with the reason.

    Raises HilError if none can be had.
    """
    sets: list[BoardSet] = []
    missing: dict[str, HilError] = {}
    for boards in found:
        try:
            sets.append(BoardSet(tuple(board.check(targets) for board in boards)))
        except HilError as error:
            missing[boards[0].spec.kind] = error
    if missing and not sets:
        raise next(iter(missing.values()))
    return tuple(sets), {kind: str(error) for kind, error in missing.items()}


def _check_sharing(boards: Sequence[FoundBoard]) -> None:
    """Raise HilError unless these are different boards of one target, all of them real if there are several."""
    seen: dict[tuple[str, str], FoundBoard] = {}
    for board in boards:
        if other := seen.get(board.identity):
            same = other.spec.text == board.spec.text
            said = f"{other.spec.text} is named twice" if same else f"{other.spec.text} and {board.spec.text} are one"
            raise HilError(f"board {said}: name each board once")
        seen[board.identity] = board
    emulated = next((board.spec.text for board in boards if board.spec.kind in EMULATORS), None)
    if emulated and len(boards) > 1:
        others = " and ".join(board.spec.text for board in boards if board.spec.text != emulated)
        raise HilError(f"board {emulated} shares no work with {others}: name either the emulated board or real ones")
    targets = {board.target: board for board in boards if board.target}
    if len(targets) > 1:
        said = ", but ".join(f"{board.spec.text} is a {target} ({board.origin})" for target, board in targets.items())
        raise HilError(f"{said}: boards that share the work are of one target")


def check_table(board: NamedBoard, targets: Mapping[str, Target]) -> None:
    """Raise HilError for what is wrong with the table of a board, as far as that shows while it is not connected."""
    if (target := board.target(targets)) is not None:
        board.flash(target)
    if board.table.port is not None:
        _spec_of(board, list(extensions.discover(GROUP)))


def find(board: str, emulator: str, named: Mapping[str, NamedBoard], link: str = AUTO) -> FoundBoard:
    """Return the board for the values of the three options; `named` are those that it may name.

    `auto` is the one board that is connected over USB; the emulated board if there is none. Raises HilError for what
    does not exist, and for `auto` with several boards.
    """
    if emulator not in (AUTO, *EMULATORS):
        raise HilError(f"unknown emulator {emulator}; choose {', '.join((AUTO, *EMULATORS))} or {ALL}")
    board, remark = _only_board(named) if board == AUTO else (board, "")
    kinds = list(extensions.discover(GROUP))
    spec = _spec_of(named[board], kinds) if board in named else parse(board, kinds, list(named))
    if spec.kind == EMULATED:
        spec = replace(spec, kind=EMULATORS[0] if emulator == AUTO else emulator)
    elif emulator != AUTO:
        raise HilError(
            f"emulator {emulator}: {spec.text} is not the emulated board; name no emulator, or choose board {EMULATED}"
        )
    extension = extensions.find(GROUP, spec.kind)
    return FoundBoard(replace(spec, link=link), extension.make(), extension, remark)


def _only_board(named: Mapping[str, NamedBoard]) -> tuple[str, str]:
    """The board that is connected, by its name if it has one, and why it was taken."""
    candidates = _connected(named)
    if len(candidates) > 1:
        listed = "; ".join(str(port) if name == port.device else f"{name}: {port}" for name, port in candidates.items())
        raise HilError(f"board {AUTO}: several boards are connected; name one: {listed}")
    if not candidates:
        return EMULATED, f"{AUTO}: no board is connected"
    return next(iter(candidates)), f"{AUTO}: the only board that is connected"


def _connected(named: Mapping[str, NamedBoard]) -> dict[str, UsbPort]:
    """The boards on USB. If some ports of a device have names, its other ports are not for the harness."""
    devices: dict[object, list[UsbPort]] = {}
    for port in usb_port.connected():
        devices.setdefault(port.device_identity, []).append(port)
    found: dict[str, UsbPort] = {}
    for ports in devices.values():
        names = {board.name: port for port in ports for board in named.values() if board.is_at(port)}
        found |= names or {port.device: port for port in ports}
    return found


def _spec_of(board: NamedBoard, kinds: Sequence[str]) -> BoardSpec:
    """The board that hil-boards.toml names: its port, or the place of a lab."""
    if (port := board.usb_port()) is not None:
        return BoardSpec(board.name, SERIAL, port.device, named=board)
    text = board.table.port or ""
    try:
        spec = parse(text, kinds)
    except HilError:
        urls = ", ".join(f"{scheme}://" for scheme in port_name.url_schemes())
        raise HilError(
            f"{board.origin}: {text} is no port ({port_name.list_of_ports()}); name a device file, a URL ({urls}), or a"
            " place of a lab, labgrid:PLACE"
        ) from None
    if spec.kind in (EMULATED, *EMULATORS):
        raise HilError(f"{board.origin}: port {text} is no real board; correct it")
    return replace(spec, text=board.name, named=board)

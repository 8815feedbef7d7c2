"""Which boards there are: their ports and names, who has them, and what they run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from threading import Lock

import msgspec

from tflm_hil.boards.board_file import NamedBoard
from tflm_hil.boards.selection import check_table, find
from tflm_hil.boards.serial import port_name, usb_port
from tflm_hil.boards.serial.holder import holders
from tflm_hil.boards.serial.inquiry import ask
from tflm_hil.boards.serial.port_lock import PortLock
from tflm_hil.boards.serial.usb_port import UsbPort
from tflm_hil.boards.spec import AUTO, SERIAL
from tflm_hil.errors import HilError, MuteError
from tflm_hil.targets import Target
from tflm_hil.targets.target import Uart

NOT_CONNECTED = "not connected"
NOT_ASKED = "not asked"


class ListedBoard(msgspec.Struct, frozen=True):
    """A port on USB, or a board of hil-boards.toml by its `name`. Texts are "" where nothing is known.

    `target`, `engine` and `build_id` are what the board answered; `remark` says why it did not, or what else is wrong.
    """

    name: str
    port: str
    vid_pid: str = ""
    serial_number: str = ""
    location: str = ""
    interface: str = ""
    product: str = ""
    held_by: list[str] = []
    target: str = ""
    engine: str = ""
    build_id: str = ""
    remark: str = ""


def list_boards(
    named: Mapping[str, NamedBoard], targets: Mapping[str, Target], everyone: bool | None
) -> list[ListedBoard]:
    """Return the boards with names, then the other ports on USB.

    Boards are asked what they run: `everyone`, or nobody (False), or those that have a name or look like boards (None).
    One that somebody has is never asked, nor one whose entry is wrong.
    """
    found = [*_with_names(named, targets), *_without_names(named)]
    # Two names may lead to one port, which has no room for two questions at once.
    turns = {port_name.canonical(board.port): Lock() for board, _ in found}

    def answered(candidate: tuple[ListedBoard, bool]) -> ListedBoard:
        board, likely = candidate
        if board.held_by or board.remark:
            return board
        if not (likely if everyone is None else everyone):
            return msgspec.structs.replace(board, remark=NOT_ASKED)
        with turns[port_name.canonical(board.port)]:
            return _asked(board, named.get(board.name), targets)

    with ThreadPoolExecutor(max(len(found), 1)) as pool:
        return list(pool.map(answered, found))


def _with_names(named: Mapping[str, NamedBoard], targets: Mapping[str, Target]) -> list[tuple[ListedBoard, bool]]:
    """The boards of the file, which are likely to be boards."""
    found: list[ListedBoard] = []
    for name, board in sorted(named.items()):
        ports = [port for port in usb_port.connected() if _is_at(board, port)]
        entries = [_on_usb(name, port) for port in ports] or [_elsewhere(board)]
        try:
            check_table(board, targets)
        except HilError as error:
            entries = [msgspec.structs.replace(entry, remark=str(error)) for entry in entries]
        found += entries
    return [(board, True) for board in found]


def _without_names(named: Mapping[str, NamedBoard]) -> list[tuple[ListedBoard, bool]]:
    """The other ports on USB, and whether each is likely to be a board's."""
    ports = [port for port in usb_port.connected() if not any(_is_at(board, port) for board in named.values())]
    return [(_on_usb("", port), port.looks_like_a_board) for port in ports]


def _is_at(board: NamedBoard, port: UsbPort) -> bool:
    at = board.table.port
    return board.is_at(port) if at is None else port_name.canonical(at) == port_name.canonical(port.device)


def _on_usb(name: str, port: UsbPort) -> ListedBoard:
    return ListedBoard(
        name,
        port.device,
        vid_pid=port.vid_pid,
        serial_number=port.serial_number,
        location=port.location,
        interface=port.interface,
        product=port.product,
        held_by=_held_by(port.device),
    )


def _elsewhere(board: NamedBoard) -> ListedBoard:
    """A board that is not on USB: at a port of another kind, on the network, in a lab, or nowhere."""
    port = board.table.port
    if port is None:
        return ListedBoard(board.name, "", remark=NOT_CONNECTED)
    try:
        if find(board.name, AUTO, {board.name: board}).spec.kind != SERIAL:
            return ListedBoard(board.name, port, remark=NOT_ASKED)  # The others would have to wait for it.
        port_name.check(port)
        return ListedBoard(board.name, port, held_by=_held_by(port))
    except HilError as error:
        return ListedBoard(board.name, port, remark=str(error).removeprefix(f"board {port}: "))


def _held_by(port: str) -> list[str]:
    network, file = port_name.scheme(port) in port_name.NETWORK, port_name.device_file(port)
    files = [PortLock(port).path] if network else [PortLock(port).path, file] if file else []
    return [str(holder) for holder in sorted({holder for each in files for holder in holders(each)})]


def _asked(board: ListedBoard, named: NamedBoard | None, targets: Mapping[str, Target]) -> ListedBoard:
    target = targets.get(named.table.target or "") if named else None
    rates = Counter(known.uart.baud for known in targets.values())
    uart = target.uart if target else Uart(rates.most_common(1)[0][0])
    uart = named.line(uart) if named else uart
    known_rate = target is not None or (named is not None and named.table.baud is not None)
    bauds = [uart.baud] if known_rate else [baud for baud, _ in rates.most_common()]
    name = board.name or board.port
    try:
        info = ask(board.port, uart, bauds, name)
    except MuteError as error:
        silence, _, _ = str(error).removeprefix(f"{name} ").partition(":")
        tried = " or ".join(f"{baud:,}" for baud in bauds)
        return msgspec.structs.replace(board, remark=f"{silence} at {tried} baud")
    except HilError as error:
        return msgspec.structs.replace(board, remark=str(error).removeprefix(f"{name}: ").removeprefix(f"{name} "))
    wrong = f"{named.origin} says {target.name}" if named and target and info.target != target.name else ""
    return msgspec.structs.replace(
        board,
        target=info.target,
        engine=f"{info.engine} {info.engine_version}",
        build_id=info.build_id.hex(),
        remark=wrong,
    )

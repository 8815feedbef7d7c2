"""`hil boards`: which boards there are, who has them, and what they run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.table import Table

from tflm_hil.boards.board_file import load_named_boards
from tflm_hil.cli.working import nearest_configuration, status
from tflm_hil.commands.boards import ListedBoard, list_boards
from tflm_hil.configuration import nearest_project
from tflm_hil.report.text import table_lines
from tflm_hil.targets import load_targets

NONE = (
    "none on USB, and none in hil-boards.toml. On Linux a board is /dev/ttyACM0 or /dev/ttyUSB0: is its cable one for"
    " data, and what does `dmesg | tail` say when it is plugged in? `hil doctor` looks for rights that are missing"
)


def boards(
    ask: Annotated[
        bool | None,
        typer.Option("--ask/--no-ask", help="ask every port, or none (default: those with names, and those of boards)"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="everything that is known, as JSON")] = False,
) -> None:
    """List the boards on USB and those of hil-boards.toml: port, who has it, and what runs there.

    A board is asked with HELLO, and not reset; but to open its port resets a board that is wired that way.

    Example: hil boards --no-ask
    """
    named = load_named_boards(nearest_project(Path.cwd()))
    with nearest_configuration() as configuration:
        targets = load_targets(configuration.targets)
    with status("asking the boards"):
        found = list_boards(named, targets, ask)
    if as_json:
        print(msgspec.json.format(msgspec.json.encode(found)).decode())
    elif found:
        print(*_lines(found), sep="\n")
    else:
        print(NONE)


def _lines(found: list[ListedBoard]) -> list[str]:
    table = Table("board", "port", "VID:PID", "serial number", "description", "target", "runs", "held by", box=None)
    for board in found:
        runs = f"{board.engine}, build {board.build_id[:12]}" if board.build_id else ""
        table.add_row(
            board.name,
            board.port,
            board.vid_pid,
            board.serial_number,
            board.product,
            board.target,
            "; ".join(filter(None, (runs, board.remark))),
            "; ".join(board.held_by),
        )
    return table_lines(table)

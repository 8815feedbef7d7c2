"""`hil fleet`: what the boards of this project are doing, and for whom."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.live import Live
from rich.table import Table

from tflm_hil.configuration import find_project
from tflm_hil.lab.fleet import Activity, read_fleet
from tflm_hil.report.text import number, table_lines

_REDRAW_S = 1.0
NONE = "no board is in use in this project"


def fleet(
    watch: Annotated[bool, typer.Option("--watch", help="redraw the table every second, until Ctrl-C")] = False,
) -> None:
    """List the boards that runs in this project have open: what each does, how far it is, and whose run it is.

    Example: hil fleet --watch
    """
    root = find_project(Path.cwd())
    if not watch:
        found = read_fleet(root)
        print(*(table_lines(_table(found)) if found else [NONE]), sep="\n")
        return
    with Live(console=Console(), auto_refresh=False) as live:
        while True:
            live.update(_table(found) if (found := read_fleet(root)) else NONE, refresh=True)
            time.sleep(_REDRAW_S)


def _table(found: Sequence[Activity]) -> Table:
    table = Table("board", "firmware", "what", "windows", "since", "process", "user", box=None)
    for each in found:
        done = f"{number(each.done)} of {number(each.total)}" if each.total else ""
        since = time.strftime("%H:%M:%S", time.localtime(each.since))
        what = each.what or ("" if each.firmware else "waits for work")
        table.add_row(each.board, each.firmware, what, done, since, str(each.pid), each.user)
    return table

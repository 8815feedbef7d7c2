"""`hil history`: the sessions of this project, and how a figure went from commit to commit."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from tflm_hil.configuration import find_project
from tflm_hil.errors import HilError
from tflm_hil.report.history import overview_lines, series_lines, session_lines
from tflm_hil.results.history import place
from tflm_hil.results.history.query import series, sessions


def history(
    metric: Annotated[
        str | None, typer.Argument(metavar="METRIC", help="a figure, e.g. latency.median or firmware.flash_bytes")
    ] = None,
    run: Annotated[str | None, typer.Option("--run", help="only this run, commit by commit")] = None,
    branch: Annotated[str | None, typer.Option("--branch", help="only sessions of this branch")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="how many rows, the last ones")] = 20,
    database: Annotated[
        Path | None, typer.Option("--database", help="another history (default: .hil/history.sqlite of the project)")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="all of it as JSON")] = False,
) -> None:
    """List the sessions of this project, or plot how a figure went, run by run or commit by commit.

    Examples: hil history; hil history latency.median --run gesture-int8-aot-stm32f4
    """
    file = database or place(find_project(Path.cwd()))
    if metric is None:
        if run is not None:
            raise HilError("--run: name a figure as well, such as `hil history latency.median --run ...`")
        found = sessions(file, limit, branch)
        if as_json:
            print(json.dumps([asdict(each) for each in found], indent=2))
        else:
            print(*session_lines(found), sep="\n")
        return
    ways = series(file, metric, run, branch)
    if as_json:
        content = [asdict(each) | {"points": [point._asdict() for point in each.points[-limit:]]} for each in ways]
        print(json.dumps(content, indent=2))
    elif run is None:
        print(*overview_lines(metric, ways), sep="\n")
    else:
        for each in ways:
            print(*series_lines(metric, each, limit), sep="\n")

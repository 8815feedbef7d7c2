"""`hil merge`: what many jobs measured in one file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tflm_hil.commands.merging import is_history, merge_history, merge_results


def merge(
    out: Annotated[
        Path, typer.Argument(metavar="OUT", help="a results file (.json), or a history (.sqlite), which is added to")
    ],
    inputs: Annotated[
        list[Path] | None,
        typer.Argument(metavar="IN...", help="results.json files, folders with one, and for a history also histories"),
    ] = None,
) -> None:
    """Merge results files, or histories, of many jobs into one. Merging something again changes nothing.

    Of a run that several jobs tested, results have the one that was tested last, and a history has all. A damaged
    history is rebuilt, also without any IN.

    Examples: hil merge all.json jobs/*/results.json; hil merge .hil/history.sqlite jobs/*/history.sqlite
    """
    merged = merge_history if is_history(out) else merge_results
    print(*merged(out, inputs or []), sep="\n")

"""`hil report`: all reports of results files, drawn again."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from tflm_hil.errors import HilError
from tflm_hil.report.headline import headline
from tflm_hil.report.publish import publish
from tflm_hil.results.matrix import combine, conflicts
from tflm_hil.results.model import Results, load


def report(
    files: Annotated[list[Path], typer.Argument(metavar="FILES...", help="results.json files, of one job or of many")],
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="where the reports go; of one file, where it is")
    ] = None,
) -> None:
    """Draw all reports of results files again: several become one matrix, with a results.json of its own.

    No verdict is changed. JUnit XML is not drawn, because pytest writes it.

    Example: hil report jobs/*/results.json --out matrix
    """
    if out is None and len(files) > 1:
        raise HilError("of several files, the reports need a folder of their own: name it with --out")
    loaded = _loaded(files)
    for line in conflicts(loaded):
        print(line)
    results = combine(loaded)
    published = publish(results, out or files[0].parent)
    print(headline(results))
    print(f"report: {published.report}")


def _loaded(files: list[Path]) -> list[Results]:
    """What is in all files; each that cannot be read is one line, and then nothing is drawn."""
    loaded, wrong = [], 0
    for path in files:
        try:
            loaded.append(load(path))
        except HilError as error:
            print(f"hil: {error}", file=sys.stderr)
            wrong += 1
    if wrong:
        raise typer.Exit(1)
    return loaded

"""`hil report`: all reports of results files, drawn again; and the paper's, of a model."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from tflm_hil.configuration import find_project, load_configuration
from tflm_hil.errors import HilError
from tflm_hil.models.manifest import Model, load_model
from tflm_hil.report.headline import headline
from tflm_hil.report.paper import page
from tflm_hil.report.paper.gather import gather
from tflm_hil.report.publish import publish
from tflm_hil.results.matrix import combine, conflicts
from tflm_hil.results.model import Results, load


def report(
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="FILES...", help="results.json files, of one job or of many")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="DIR", help="where the reports go (default: of one file, where it is; reports/paper)"
        ),
    ] = None,
    paper: Annotated[
        str | None, typer.Option("--paper", metavar="MODEL", help="instead: the paper's tables and figures of a model")
    ] = None,
) -> None:
    """Draw all reports of results files again: several become one matrix, with a results.json of its own.

    No verdict is changed. JUnit XML is not drawn, because pytest writes it.

    With --paper: what `hil train` and `hil quantize` found out of a model, as the tables and figures of the paper whose
    pipeline they repeat, beside its numbers.

    Example: hil report jobs/*/results.json --out matrix

    Example: hil report --paper gestures --out reports/paper
    """
    if (paper is None) == (not files):
        raise HilError("name either results.json files, or with --paper a model that was trained and quantized")
    if paper is not None:
        print(f"report: {page.write(gather(_model(paper)), out or Path('reports', 'paper'))}")
        return
    assert files
    if out is None and len(files) > 1:
        raise HilError("of several files, the reports need a folder of their own: name it with --out")
    loaded = _loaded(files)
    for line in conflicts(loaded):
        print(line)
    results = combine(loaded)
    published = publish(results, out or files[0].parent)
    print(headline(results))
    print(f"report: {published.report}")


def _model(name: str) -> Model:
    """The model in the folder `name` of the project. Raises HilError if there is none, or no project."""
    configuration = load_configuration(find_project(Path.cwd()))
    folder = configuration.models / name
    if not (folder / "model.toml").is_file():
        raise HilError(f"--paper={name}: there is no {folder / 'model.toml'}; run: hil train {name}")
    return load_model(folder, configuration.recordings, untrained=True)


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

"""`hil bench`: figures against goals, and the engines side by side."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from tflm_hil.cli.arguments import TargetName
from tflm_hil.cli.working import open_session, status
from tflm_hil.commands.bench.measure import Bench
from tflm_hil.commands.bench.subjects import choose
from tflm_hil.configuration import find_project
from tflm_hil.files import probe_folder
from tflm_hil.report import benchmark
from tflm_hil.results.model import save


def bench(
    networks: Annotated[list[Path] | None, typer.Argument(metavar="[NETWORK.tflite]...", help=".tflite files")] = None,
    models: Annotated[
        list[str] | None,
        typer.Option("--model", help="a folder in models/, all of them (`all`), or a network of the set; repeatable"),
    ] = None,
    with_set: Annotated[bool, typer.Option("--set", help="the bench's set of networks of all shapes")] = False,
    engine: Annotated[str, typer.Option("--engine", help="one engine, or auto for all there are")] = "auto",
    target: TargetName = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="write the results to this file as well")] = None,
) -> None:
    """Measure instructions, sizes and the streaming rate against their goals, and the engines side by side.

    Measures what is named: files, models, the set. Without any, all models of the project and the set. A figure is
    shown as soon as it is there, first those of the first engine. Ends with status 1 where a goal is missed, an answer
    is wrong, or something could not be measured.

    Examples: hil bench kws_ref_model.tflite

    hil bench --model gesture --engine aot --json bench.json

    hil bench --set
    """
    subjects = choose(find_project(Path.cwd()), models or [], networks or [], with_set)
    if json_file:
        probe_folder(json_file.parent)
    session = open_session("emulated", None, engine, target)
    bench = Bench(session, subjects)
    # On a terminal, print() goes above the status line; where the output goes elsewhere, it goes there.
    out = None if sys.stdout.isatty() else sys.stdout
    with tempfile.TemporaryDirectory(prefix="hil-") as folder, status("measuring") as say:
        for run in bench.measure(Path(folder), say):
            print(benchmark.line(run), file=out, flush=True)
            if json_file:
                save(bench.results, json_file)
    results = bench.results
    if json_file:
        save(results, json_file)
    print()
    for lines in (benchmark.goal_lines(results), benchmark.engine_lines(results), benchmark.remarks(results)):
        print(*lines, sep="\n", end="\n\n")
    if any(run.verdict != "pass" for run in results.runs):
        raise typer.Exit(1)

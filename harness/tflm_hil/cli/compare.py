"""`hil compare`: two measurements, and what made the difference."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from tflm_hil.commands.comparing import differences, find_side
from tflm_hil.configuration import nearest_project
from tflm_hil.lab.limits import manifest_limits
from tflm_hil.models.manifest import load_models
from tflm_hil.report.comparison import comparison_lines
from tflm_hil.results.exit_status import ExitStatus
from tflm_hil.results.history import place
from tflm_hil.results.model import Run
from tflm_hil.results.thresholds import Limits, parse_limits

WHAT = "a results.json, a folder with one, a folder of baselines, a session such as @12, or a commit of the history"


def compare(
    before: Annotated[str, typer.Argument(metavar="BEFORE", help=WHAT)],
    now: Annotated[str, typer.Argument(metavar="NOW", help="the same, of what is held against it")],
    fail_on: Annotated[
        list[str] | None,
        typer.Option("--fail-on", metavar="LIMIT", help="as pytest's --hil-fail-on, e.g. latency.median>+3%"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="all changes, causes and flips as JSON")] = False,
) -> None:
    """Show what changed from one measurement to another: figures, what caused them, and windows answered otherwise.

    Commits are looked up in the history of this project, by hash, branch or whatever git takes. The limits are those
    of the models' manifests, and the defaults. The exit status is 8 if a figure got worse than its limit.

    Examples: hil compare main HEAD; hil compare HEAD~3 @12; hil compare old/results.json reports
    """
    root = nearest_project(Path.cwd())
    database = place(root) if root else None
    given = [limit for text in fail_on or () for limit in parse_limits(text, "--fail-on")]
    models = load_models(root) if root else {}

    def limits(run: Run) -> Limits:
        model = models.get(run.model)
        return Limits(manifest_limits(model, run.variant, root) if model and root else (), given)

    found = differences(find_side(before, root, database), find_side(now, root, database), limits)
    if as_json:
        runs = [
            {"run": run.name, "place": run.place, "comparison": msgspec.to_builtins(run.comparison)}
            for run in found.runs
        ]
        content = {"runs": runs, "only": found.only, "notes": found.notes}
        print(msgspec.json.format(msgspec.json.encode(content)).decode())
    else:
        only = (f"only in {what}: {', '.join(names)}" for what, names in found.only.items())
        print(*comparison_lines(found.runs), *only, *found.notes, sep="\n")
    if found.regressed:
        raise typer.Exit(ExitStatus.REGRESSED)

"""`hil bisect`: the commit that moved a figure."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from tflm_hil.cli.working import status
from tflm_hil.commands.bisect.measure import EMULATED, Measurer
from tflm_hil.commands.bisect.search import search
from tflm_hil.commands.bisect.worktree import worktree
from tflm_hil.commands.comparing import commit_of
from tflm_hil.configuration import find_project
from tflm_hil.errors import HilError
from tflm_hil.firmware import toolchain
from tflm_hil.report.comparison import comparison_lines
from tflm_hil.results.history import place
from tflm_hil.results.metrics import BY_NAME


def bisect(
    metric: Annotated[str, typer.Argument(metavar="METRIC", help="a figure, e.g. latency.median")],
    good: Annotated[str, typer.Option("--good", help="a commit at which it is as it should be")],
    bad: Annotated[str, typer.Option("--bad", help="a later commit at which it is not")] = "HEAD",
    run: Annotated[str | None, typer.Option("--run", help="of which run, if it moved in several")] = None,
    threshold: Annotated[
        float | None, typer.Option("--threshold", help="what is past it is bad (default: halfway between both)")
    ] = None,
    arguments: Annotated[
        list[str] | None, typer.Argument(metavar="[-- PYTEST...]", help="what pytest is called with to measure it")
    ] = None,
) -> None:
    """Find the commit that moved a figure, with `git bisect` in a work tree of its own: yours stays as it is.

    What the history has of a commit is not measured again, and commits that do not build are skipped.

    Example: hil bisect latency.median --good v1.0 --bad HEAD -- --board=emulated --hil-model=gesture
    """
    if metric not in BY_NAME:
        raise HilError(f"{metric}: no such figure; choose one of {', '.join(BY_NAME)}")
    root = find_project(Path.cwd())
    ends = (_commit("--good", good, root), _commit("--bad", bad, root))
    with worktree(root) as tree, status(f"{metric}: looking for the commit") as say:
        measurer = Measurer(
            worktree=tree,
            project=root.relative_to(tree.repository),
            database=place(root),
            metric=metric,
            arguments=arguments or EMULATED,
            toolchain=toolchain.versions(),
            environment=os.environ,
            say=say,
        )
        found = search(tree, measurer.measure, metric, ends, run, threshold, lambda line: print(line, flush=True))
        print()
        print(f"{found.commit} moved {metric}: {found.subject}")
        print(*comparison_lines([found.run]), sep="\n")
        if found.suspects:
            print(f"or one before it that could not be measured: {', '.join(each[:12] for each in found.suspects)}")
        print(*measurer.lines, sep="\n", end="")


def _commit(option: str, text: str, root: Path) -> str:
    if commit := commit_of(text, root):
        return commit
    raise HilError(f"{option}={text}: git knows no such commit")

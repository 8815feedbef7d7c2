"""`hil baseline`: figures of a commit kept in git notes, so that nobody has to commit them."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from tflm_hil.commands import baselines
from tflm_hil.commands.baseline_notes import REMOTE, BaselineNotes
from tflm_hil.report.text import listed
from tflm_hil.results.baselines import Update
from tflm_hil.results.model import load

FOLDER = Path(".hil/baselines")


class Action(StrEnum):
    """What to do with baselines."""

    PUSH = "push"
    FETCH = "fetch"
    WRITE = "write"


def baseline(
    action: Annotated[
        Action,
        typer.Argument(
            help="push: add the figures of a results file to the git notes of its commit. fetch: write those of the "
            "last commit before, that has any, into a folder. write: write those of a results file into a folder"
        ),
    ],
    results: Annotated[
        Path, typer.Option("--results", metavar="FILE", help="whose figures are pushed or written")
    ] = Path("reports/results.json"),
    folder: Annotated[
        Path, typer.Option("--folder", metavar="DIR", help="where files go, for pytest --hil-baseline=DIR")
    ] = FOLDER,
    commit: Annotated[
        str, typer.Option("--commit", help="which one has the note; of fetch, which one is tested")
    ] = "HEAD",
    remote: Annotated[str, typer.Option("--remote", help="the repository that has the notes")] = REMOTE,
) -> None:
    """Keep baselines in git notes (refs/notes/hil), beside the commits that they were measured with.

    What only fell behind its baseline is pushed all the same: merging a commit accepts its figures.

    Example: hil baseline fetch && pytest --board=emulated --hil-baseline=.hil/baselines; hil baseline push
    """
    if action is Action.WRITE:
        print(*_said(baselines.write(load(results), folder), f"written to {folder}"), sep="\n")
        return
    notes = BaselineNotes(Path.cwd(), remote)
    if action is Action.PUSH:
        update, kept = baselines.push(load(results), notes, commit)
        print(*_said(update, f"pushed to the notes of {notes.commit(commit)[:12]}"), sep="\n")
        if kept:
            print(f"as they were: {listed(kept)}")
    elif found := baselines.fetch(notes, commit, folder):
        print(f"{_baselines(len(found.files))} of commit {found.commit[:12]} written to {folder}")
    else:
        print(f"no commit before {commit} has baselines in its notes, so nothing will be compared")


def _said(update: Update, where: str) -> list[str]:
    lines = [f"{_baselines(len(update.written))} {where}"]
    if update.same:
        lines.append(f"{len(update.same)} are there already")
    if update.refused:
        lines.append(f"not for {listed([run.name for run in update.refused])}, which did not pass")
    return lines


def _baselines(number: int) -> str:
    return f"{number} baseline{'s' * (number != 1)}"

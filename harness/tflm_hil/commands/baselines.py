"""Baselines from a results file: into a folder, into git notes, and back."""

from __future__ import annotations

import tempfile
from pathlib import Path

from msgspec.structs import replace

from tflm_hil.commands.baseline_notes import BaselineNotes, Noted
from tflm_hil.files import write_text
from tflm_hil.results.baselines import Update, file_name, read_baselines, update_baselines
from tflm_hil.results.judge import NO_BASELINE
from tflm_hil.results.model import Results, Run


def write(results: Results, folder: Path) -> Update:
    """Write the baselines of all runs that may become one into `folder`, which is made if it is not there.

    Raises:
        HilError: one that is there cannot be read, or a new one cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    runs = [_accepted(run, results) for run in results.runs if run.current]
    return update_baselines(runs, folder, folder.parent, str(results.git.get("commit") or ""), {})


def push(results: Results, notes: BaselineNotes, commit: str) -> tuple[Update, list[str]]:
    """Add the baselines of `results` to the note of `commit`.

    A run that may not become one keeps that of the commit before, whose file names are the second value.

    Raises:
        HilError: as `BaselineNotes.push` and `write`.
    """
    with tempfile.TemporaryDirectory(prefix="hil-") as name:
        update = write(results, Path(name))
        files = {written.path.name: written.path.read_text(encoding="utf-8") for written in update.written}
    before = notes.nearest(commit) if update.refused else None
    kept = {name: before.files[name] for name in map(file_name, update.refused) if before and name in before.files}
    if files or kept:
        notes.push(commit, kept | files)
    return update, list(kept)


def fetch(notes: BaselineNotes, commit: str, folder: Path) -> Noted | None:
    """Write the baselines of the last commit before `commit` that has any in its notes into `folder`.

    Baselines of other runs that are there are deleted, because they would be of another commit.

    Raises:
        HilError: as `BaselineNotes.nearest`, `folder` has something else in it, or a file cannot be written.
    """
    found = notes.nearest(commit)
    folder.mkdir(parents=True, exist_ok=True)
    for baseline in read_baselines(folder, Path.cwd()).values():
        baseline.path.unlink()
    for name, text in found.files.items() if found else ():
        write_text(folder / name, text)
    return found


def _accepted(run: Run, results: Results) -> Run:
    """A run that fails for nothing but its baseline is one that passes: whoever keeps its figures accepts them."""
    forgiven = {NO_BASELINE, *(change.metric for change in (run.comparison.regressions if run.comparison else []))}
    if run.verdict == "fail" and forgiven.issuperset(run.failures) and not (run.not_run or results.gaps):
        return replace(run, verdict="pass")
    return run

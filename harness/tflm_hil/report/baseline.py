"""What terminal and JUnit say of runs that were held against their baselines, and of baselines that were written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tflm_hil.report.changes import cause_lines, difference, effect, flips
from tflm_hil.report.markup import visible
from tflm_hil.report.text import SHORT_COMMIT, figure, listed
from tflm_hil.results.baselines import UPDATE, Update
from tflm_hil.results.comparison import Base, Change, Comparison
from tflm_hil.results.model import Results, Run

TOP = 3
"""So many causes of a change are told where space is short."""


def comparison_lines(runs: Sequence[Run]) -> Iterator[str]:
    """What got worse and why, then what got better, then in short what stayed within its limits, and what to note."""
    compared = [(run, run.comparison) for run in runs if run.comparison]
    for run, comparison in compared:
        for change in comparison.regressions:
            yield f"REGRESSED: {run.name} {_worse(comparison, change)}"
            yield from (f"    {line}" for line in cause_lines(change, TOP))
        yield from _flipped(run)
    better = [(run, change) for run, comparison in compared for change in comparison.improvements]
    yield from (f"improved: {run.name} {change.metric}: {_figures(change)}" for run, change in better)
    if better:
        yield f"to keep what got better, update your baseline: {UPDATE}"
    for run, comparison in compared:
        within = [change for change in comparison.changes if change.verdict == "changed"]
        if within:
            yield f"within the limits: {run.name} {', '.join(f'{each.metric} {difference(each)}' for each in within)}"
    about: dict[str, list[str]] = {}
    for run, comparison in compared:
        for note in comparison.notes:
            about.setdefault(note, []).append(run.name)
    yield from (f"{listed(names)}: {note}" for note, names in about.items())


def regression(run: Run, change: Change) -> str:
    """Everything about one figure that fell behind."""
    assert run.comparison is not None
    lines = [
        _worse(run.comparison, change),
        *cause_lines(change, len(change.causes)),
        *_flipped(run),
        *run.comparison.notes,
    ]
    return "\n".join(lines)


def baseline_lines(results: Results) -> Iterator[str]:
    """Baselines that are missing, and those for which nothing runs."""
    if results.no_baseline:
        yield f"no baseline: {', '.join(results.no_baseline)}; make it with {UPDATE}"
    for file in results.stale_baselines:
        yield f"stale baseline: nothing runs for {file}; delete it"


def update_lines(update: Update) -> Iterator[str]:
    """What was written, figure by figure."""
    for written in update.written:
        what = "new" if written.new else "updated"
        of_figures = "" if written.new or written.changes else ", no figure but what they are made of"
        yield f"baseline: {written.path.name} {what}{of_figures}"
        yield from (f"    {change.metric}: {_figures(change)}" for change in written.changes)
    if update.same:
        yield f"baseline: unchanged for {listed([run.name for run in update.same])}"
    for run in update.refused:
        yield f"baseline: not updated for {run.name}, whose verdict is {run.verdict}"


def _worse(comparison: Comparison, change: Change) -> str:
    limit = f"limit {change.limit} ({change.source})"
    return f"{change.metric}: {_figures(change)}, {limit}, against {_based_on(comparison.base)}"


def _figures(change: Change) -> str:
    return f"{figure(change.before, change.unit)} -> {figure(change.now, change.unit)}, {difference(change)}"


def _based_on(base: Base) -> str:
    return f"{base.what}{f' of commit {base.commit[:SHORT_COMMIT]}' if base.commit else ''}"


def _flipped(run: Run) -> Iterator[str]:
    windows = [
        visible(f"{flip.recording} window {flip.window} {flip.label_before} -> {flip.label_now} ({effect(flip)})")
        for flip in flips(run)
    ]
    if windows:
        yield f"predictions flipped: {run.name} {listed(windows)}"

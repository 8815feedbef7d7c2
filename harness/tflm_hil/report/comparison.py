"""Two measurements side by side in a terminal: what changed, why, and which windows are answered otherwise."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.table import Table

from tflm_hil.report.changes import cause_lines, difference, effect, flips, scores
from tflm_hil.report.text import figure, table_lines
from tflm_hil.results.comparison import Comparison
from tflm_hil.results.model import Run

CAUSES, FLIPS = 5, 10
"""So many of each are shown; --json has all."""


def comparison_lines(runs: Sequence[Run]) -> Iterator[str]:
    """Each run with a table of its changes, the worst first, and what is behind them."""
    for run in runs:
        comparison = run.comparison
        if comparison is None:
            continue
        yield f"{run.name} ({run.place}), against {comparison.base.what}: {_verdict(comparison)}"
        if comparison.changes:
            yield from (f"  {line}" for line in table_lines(_changes(comparison)))
        yield from _flipped(run)
        yield from (f"  note: {note}" for note in comparison.notes)


def _verdict(comparison: Comparison) -> str:
    counts = {
        "regressed": len(comparison.regressions),
        "improved": len(comparison.improvements),
        "changed within the limits": sum(change.verdict == "changed" for change in comparison.changes),
    }
    return ", ".join(f"{count} {what}" for what, count in counts.items() if count) or "no figure changed"


def _changes(comparison: Comparison) -> Table:
    table = Table("figure", "before", "now", "difference", "", "limit", "why", box=None)
    order = ("regressed", "improved", "changed")
    for change in sorted(comparison.changes, key=lambda each: order.index(each.verdict)):
        verdict = change.verdict.upper() if change.verdict == "regressed" else change.verdict
        values = (figure(change.before, change.unit), figure(change.now, change.unit), difference(change))
        first, *others = [*cause_lines(change, CAUSES)] or [""]
        table.add_row(change.metric, *values, verdict, f"{change.limit} ({change.source})", first)
        for other in others:
            table.add_row("", "", "", "", "", "", other)
    return table


def _flipped(run: Run) -> Iterator[str]:
    every = list(flips(run))
    if not every:
        return
    table = Table("recording", "window", "true", "before", "now", "", "scores before", "scores now", box=None)
    for flip in every[:FLIPS]:
        table.add_row(
            *(flip.recording, str(flip.window), flip.truth or "-", flip.label_before, flip.label_now, effect(flip)),
            *(scores(flip.before), scores(flip.now)),
        )
    yield f"  {len(every):,} windows are answered otherwise:"
    yield from (f"  {line}" for line in table_lines(table))
    if len(every) > FLIPS:
        yield f"  and {len(every) - FLIPS:,} more"

"""Rows of the tables of reports in Markdown: a figure that changed, what it was caused by, a window, a run."""

from __future__ import annotations

from pathlib import PurePosixPath

from tflm_hil.report.changes import (
    about_predictions,
    difference,
    effect,
    figures,
    flips,
    main_causes,
    scores,
)
from tflm_hil.report.markup import code, prose
from tflm_hil.report.text import SHORT_COMMIT, cell, figure, number, percent
from tflm_hil.report.wording import verdict, where
from tflm_hil.results.comparison import Cause, Change, Flip
from tflm_hil.results.model import Run

CAUSES = 3
"""So many causes stand in the row of a change."""

WORSE = """\
| run | figure | before | now | difference | limit | against | why |
|---|---|--:|--:|--:|---|---|---|
"""
CHANGED = """\
| run | figure | before | now | difference | against | why |
|---|---|--:|--:|--:|---|---|
"""
CAUSE = """\
| run | figure | kind | name | before and now |
|---|---|---|---|---|
"""
FLIP = """\
| run | recording | window | first row | true | before | now | | scores before | scores now |
|---|---|--:|--:|---|---|---|---|---|---|
"""
RUN = """\
| run | board | verdict | windows | label differs | accuracy | median | max | flash | static RAM | RAM total |
|---|---|---|--:|--:|--:|--:|--:|--:|--:|--:|
"""


def worse(run: Run, change: Change) -> str:
    """A regression, with the limit that it broke and who set that."""
    limit = f"{code(change.limit)} ({prose(change.source)})"
    return _row(*_figures(run, change), limit, _base(run), _why(run, change))


def changed(run: Run, change: Change) -> str:
    """Any other change."""
    return _row(*_figures(run, change), _base(run), _why(run, change))


def cause(run: Run, change: Change, cause: Cause) -> str:
    """One of the causes of a change."""
    return _row(code(run.name), code(change.metric), cause.kind, _name(cause), figures(cause))


def flip(run: Run, flip: Flip) -> str:
    """A window that is answered otherwise than before."""
    labels = (code(label) if label else "-" for label in (flip.truth, flip.label_before, flip.label_now))
    where = code(flip.recording), number(flip.window), number(flip.first_row)
    return _row(code(run.name), *where, *labels, effect(flip), scores(flip.before), scores(flip.now))


def overview(run: Run) -> str:
    """A run with its verdict and its main figures."""
    parity, latency, firmware = run.parity, run.latency, run.firmware
    return _row(
        code(run.name),
        prose(where(run)),
        prose(verdict(run) if run.current else f"not run (earlier: {run.earlier_verdict or 'never'})"),
        *(
            (number(parity.windows), number(parity.label_mismatches), percent(parity.accuracy_device))
            if parity
            else "---"
        ),
        *((number(latency.median), number(latency.max)) if latency else "--"),
        *(map(number, (firmware.flash_bytes, firmware.ram_bytes, firmware.ram_total_bytes)) if firmware else "---"),
    )


def commit(full: str) -> str:
    """A commit, shortly."""
    return code(full[:SHORT_COMMIT]) if full else "unknown"


def _row(*cells: str) -> str:
    return f"| {' | '.join(map(cell, cells))} |\n"


def _base(run: Run) -> str:
    base = run.comparison.base if run.comparison else None
    if base is None:
        return "-"
    # Where a job put what it fetched is no news to anybody.
    what = PurePosixPath(base.what).name if base.what.startswith("/") else base.what
    return f"{commit(base.commit)} in {code(what)}"


def _figures(run: Run, change: Change) -> list[str]:
    values = [figure(value, change.unit) for value in (change.before, change.now)]
    return [code(run.name), code(change.metric), *values, difference(change)]


def _why(run: Run, change: Change) -> str:
    causes = main_causes(change)
    windows = list(flips(run)) if about_predictions(change) else []
    lines = [f"{cause.kind} {_name(cause)}: {figures(cause)}" for cause in causes[:CAUSES]]
    lines += [
        f"{code(flip.recording)} window {number(flip.window)}: {code(flip.label_before)} -> {code(flip.label_now)}, "
        f"{effect(flip)}"
        for flip in windows[: CAUSES - len(lines)]
    ]
    more = len(causes) + len(windows) - len(lines)
    return "<br>".join([*lines, *([f"and {more:,} more, below"] if more else [])]) or "not known"


def _name(cause: Cause) -> str:
    return f"{code(cause.name)} (was {code(cause.was)})" if cause.was else code(cause.name)

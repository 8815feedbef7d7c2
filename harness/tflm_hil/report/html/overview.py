"""What stands at the top: the changes of all runs, and the matrix of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tflm_hil.report.html.run_view import RunView
from tflm_hil.results.comparison import Change

MOST = 30
"""So many changes are told at the top, the largest first; all of them are at their runs."""


@dataclass(frozen=True)
class Told:
    """A change, and the run that it is of."""

    view: RunView
    change: Change


@dataclass(frozen=True)
class Changes:
    """The largest changes of all runs, and how many others there are."""

    told: list[Told]
    left_out: int

    def __len__(self) -> int:
        return len(self.told) + self.left_out


@dataclass(frozen=True)
class Matrix:
    """Networks with engines as rows, targets and where they run as columns; a cell has the runs of both."""

    columns: list[tuple[str, str]]
    rows: list[tuple[str, str, list[list[RunView]]]]


def changes(views: Sequence[RunView], verdict: str) -> Changes:
    """The changes with this verdict, relatively largest first."""
    found = [
        Told(view, change)
        for view in views
        if view.run.comparison
        for change in view.run.comparison.changes
        if change.verdict == verdict
    ]
    found.sort(key=lambda told: -abs(told.change.now - told.change.before) / (abs(told.change.before) or 1))
    return Changes(found[:MOST], len(found[MOST:]))


def matrix(views: Sequence[RunView]) -> Matrix:
    """All runs by network, engine, target and place."""
    columns = sorted({(view.run.target, view.run.place) for view in views})
    cells: dict[tuple[str, str], dict[tuple[str, str], list[RunView]]] = {}
    for view in views:
        row = cells.setdefault((view.run.network, view.run.engine), {})
        row.setdefault((view.run.target, view.run.place), []).append(view)
    rows = [(*names, [row.get(column, []) for column in columns]) for names, row in sorted(cells.items())]
    return Matrix(columns, rows)

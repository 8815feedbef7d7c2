"""What stands at the top: the changes of all runs, and the matrix of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tflm_hil.report.html.run_view import RunView
from tflm_hil.results.comparison import Change

MOST = 30
"""So many runs are told at the top, those that changed most first; all are among the runs."""


@dataclass(frozen=True)
class Changed:
    """A run, and those of its figures that changed in one direction, relatively largest first."""

    view: RunView
    changes: list[Change]


@dataclass(frozen=True)
class Matrix:
    """Networks with engines as rows, targets and where they run as columns; a cell has the runs of both."""

    columns: list[tuple[str, str]]
    rows: list[tuple[str, str, list[list[RunView]]]]


def changed(views: Sequence[RunView], verdict: str) -> list[Changed]:
    """The runs that have changes with this verdict, the one with the relatively largest change first."""
    found = [
        Changed(view, sorted((each for each in _changes(view) if each.verdict == verdict), key=_share, reverse=True))
        for view in views
    ]
    return sorted((each for each in found if each.changes), key=lambda each: _share(each.changes[0]), reverse=True)


def _changes(view: RunView) -> list[Change]:
    return view.run.comparison.changes if view.run.comparison else []


def _share(change: Change) -> float:
    return abs(change.now - change.before) / (abs(change.before) or 1)


def matrix(views: Sequence[RunView]) -> Matrix:
    """All runs by network, engine, target and place."""
    columns = sorted({(view.run.target, view.run.place) for view in views})
    cells: dict[tuple[str, str], dict[tuple[str, str], list[RunView]]] = {}
    for view in views:
        row = cells.setdefault((view.run.network, view.run.engine), {})
        row.setdefault((view.run.target, view.run.place), []).append(view)
    rows = [(*names, [row.get(column, []) for column in columns]) for names, row in sorted(cells.items())]
    return Matrix(columns, rows)

"""A run with all that is drawn of it."""

from __future__ import annotations

from dataclasses import dataclass

from tflm_hil.report.html.chain import Place, chain
from tflm_hil.report.html.distribution import Distribution, distribution
from tflm_hil.report.html.footprint import Memory, footprint
from tflm_hil.report.html.layers import Layers, layers
from tflm_hil.report.html.room import Room
from tflm_hil.report.html.traces import Pair, pair
from tflm_hil.report.html.trend import Trend, Trends, trends
from tflm_hil.results.comparison import Change
from tflm_hil.results.metrics import METRICS
from tflm_hil.results.model import Run

LABELS = 12
"""More answers than these have no matrix, but a list of the most frequent mistakes."""


@dataclass(frozen=True)
class Figure:
    """A figure of a run by its path in results.json; `change` is None where it is what it was, or was not compared."""

    path: str
    column: str
    unit: str
    value: float
    change: Change | None


@dataclass(frozen=True)
class RunView:
    """`anchor` is the place of the run in the page. What there is nothing to draw of is None or empty.

    `figures` are by their paths, `logs` by their tests; `confused` has the answers, and for each truth the windows of
    each answer.
    """

    run: Run
    anchor: str
    figures: dict[str, Figure]
    distribution: Distribution | None
    footprint: list[Memory]
    layers: Layers | None
    chain: list[Place]
    confused: tuple[list[str], list[tuple[str, list[int]]]] | None
    pairs: list[Pair]
    trends: list[Trend]
    logs: list[tuple[str, str]]
    logs_left_out: int

    @property
    def reasons(self) -> dict[str, list[str]]:
        """Why it failed, each reason once with its tests. Figures that got worse are told by themselves."""
        found: dict[str, list[str]] = {}
        for case in self.run.tests:
            if case.id in self.run.failures:
                found.setdefault(case.reason or "it gave no reason", []).append(case.id)
        return found | {line: [] for line in (*self.run.over_budget, *self.run.disagreements)}


def view(run: Run, number: int, points: Trends, room: Room) -> RunView:
    """`run`, which is the one with this `number` in the results."""
    logs = [case for case in run.tests if case.log]
    return RunView(
        run,
        f"run-{number}",
        _figures(run),
        distribution(run),
        footprint(run.firmware) if run.firmware else [],
        layers(run.profile) if run.profile else None,
        chain(run.attribution) if run.attribution else [],
        _confused(run),
        [pair(difference) for difference in run.differences[: room.pairs]],
        trends(points.get(run.name, {})),
        [(case.id, case.log[-room.characters :]) for case in logs[: room.logs]],
        len(logs[room.logs :]),
    )


def _figures(run: Run) -> dict[str, Figure]:
    changed = {change.metric: change for change in run.comparison.changes} if run.comparison else {}
    found = {}
    for metric in METRICS:
        path, value = f"{metric.group}.{metric.field}", metric.of(run)
        unit = getattr(getattr(run, metric.group), "unit", "") if not metric.unit else metric.unit.replace("%", "")
        if value is not None:
            found[path] = Figure(path, metric.column, unit, value, changed.get(path))
    return found


def _confused(run: Run) -> tuple[list[str], list[tuple[str, list[int]]]] | None:
    confusion = run.parity.confusion if run.parity else []
    answers, truths = (sorted({getattr(each, name) for each in confusion}) for name in ("answer", "truth"))
    if not confusion or len(answers) > LABELS or len(truths) > LABELS:
        return None
    count = {(each.truth, each.answer): each.windows for each in confusion}
    return answers, [(truth, [count.get((truth, answer), 0) for answer in answers]) for truth in truths]

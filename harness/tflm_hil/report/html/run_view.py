"""A run with all that is drawn of it."""

from __future__ import annotations

from dataclasses import dataclass

from tflm_hil.report.html.chain import Place, chain
from tflm_hil.report.html.distribution import Distribution, distribution
from tflm_hil.report.html.footprint import Memory, footprint
from tflm_hil.report.html.layers import Layers, layers
from tflm_hil.report.html.room import Room
from tflm_hil.report.html.traces import Pair, pair
from tflm_hil.report.html.trend import Trend, Trends, drawn
from tflm_hil.report.wording import causes
from tflm_hil.results.comparison import Change
from tflm_hil.results.metrics import METRICS
from tflm_hil.results.model import Run

LABELS = 12
"""More answers than these have no matrix, but a list of the most frequent mistakes."""


@dataclass(frozen=True)
class Figure:
    """A figure of a run in its unit; `change` is None where it is what it was, or was not compared."""

    unit: str
    value: float
    change: Change | None


@dataclass(frozen=True)
class RunView:
    """`anchor` is the place of the run in the page. What there is nothing to draw of is None or empty.

    `reasons` are why it failed, each with its tests; `figures` are by their paths, `logs` by their tests. `confused`
    has the answers, and for each truth the windows of each answer.
    """

    run: Run
    anchor: str
    room: Room
    reasons: list[tuple[str, list[str]]]
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


def view(run: Run, number: int, points: Trends, room: Room) -> RunView:
    """`run`, which is the one with this `number` in the results."""
    logs = [case for case in run.tests if case.log]
    return RunView(
        run,
        f"run-{number}",
        room,
        causes(run),
        _figures(run),
        distribution(run),
        footprint(run.firmware, room.symbols) if run.firmware else [],
        layers(run.profile, room.operators) if run.profile else None,
        chain(run.attribution) if run.attribution else [],
        _confused(run),
        [pair(difference) for difference in run.differences[: room.pairs]],
        drawn(points.get(run.identity, {})),
        [(case.id, case.log[-room.characters :]) for case in logs[: room.logs]],
        len(logs[room.logs :]),
    )


def _figures(run: Run) -> dict[str, Figure]:
    changed = {change.metric: change for change in run.comparison.changes} if run.comparison else {}
    found = {}
    for metric in METRICS:
        value = metric.of(run)
        if value is not None:
            found[metric.name] = Figure(metric.unit_in(run), value, changed.get(metric.name))
    return found


def _confused(run: Run) -> tuple[list[str], list[tuple[str, list[int]]]] | None:
    confusion = run.parity.confusion if run.parity else []
    answers, truths = (sorted({getattr(each, name) for each in confusion}) for name in ("answer", "truth"))
    if not confusion or len(answers) > LABELS or len(truths) > LABELS:
        return None
    count = {(each.truth, each.answer): each.windows for each in confusion}
    return answers, [(truth, [count.get((truth, answer), 0) for answer in answers]) for truth in truths]

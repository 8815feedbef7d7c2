"""How a figure went, from one state of the sources to the next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tflm_hil.report.html.scale import Scale
from tflm_hil.results.history import query
from tflm_hil.results.history.query import Point
from tflm_hil.results.model import Run

METRICS = ("latency.median", "parity.accuracy_device", "firmware.flash_bytes", "firmware.ram_total_bytes")
WIDTH, HEIGHT, EDGE = 300, 60, 6

Trends = Mapping[tuple[str, ...], Mapping[str, Sequence[Point]]]
"""Of a run, by its identity, the points of some metrics, the oldest first."""


@dataclass(frozen=True)
class Trend:
    """The points of one `metric`, two or more, and the line through them."""

    metric: str
    points: Sequence[Point]
    places: list[tuple[float, float]]

    @property
    def low(self) -> float:
        """The least value."""
        return min(point.value for point in self.points)

    @property
    def high(self) -> float:
        """The greatest value."""
        return max(point.value for point in self.points)


def read_trends(database: Path, runs: Sequence[Run]) -> Trends:
    """What a history knows of `runs`. Raises HilError if it cannot be read."""
    found = query.trends(database, [run.identity for run in runs])
    return {run: {metric: points[metric] for metric in METRICS if metric in points} for run, points in found.items()}


def drawn(points: Mapping[str, Sequence[Point]]) -> list[Trend]:
    """One for each metric that has more than one point."""
    return [_drawn(metric, along) for metric, along in points.items() if len(along) > 1]


def _drawn(metric: str, points: Sequence[Point]) -> Trend:
    values = [point.value for point in points]
    across, up = Scale(0, len(points) - 1, EDGE, WIDTH - EDGE), Scale(min(values), max(values), HEIGHT - EDGE, EDGE)
    return Trend(metric, points, [(across(number), up(value)) for number, value in enumerate(values)])

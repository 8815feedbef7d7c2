"""How a figure went, from run to run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tflm_hil.report.html.scale import Scale

WIDTH, HEIGHT, EDGE = 300, 60, 6


@dataclass(frozen=True)
class Point:
    """The `value` of a figure in an earlier run, and what names that run, such as a short commit."""

    when: str
    value: float


Trends = Mapping[str, Mapping[str, Sequence[Point]]]
"""Of a run, by its name, the points of some figures, by their paths in results.json; the oldest first."""


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


def trends(points: Mapping[str, Sequence[Point]]) -> list[Trend]:
    """One for each figure that has more than one point."""
    return [_trend(metric, along) for metric, along in points.items() if len(along) > 1]


def _trend(metric: str, points: Sequence[Point]) -> Trend:
    values = [point.value for point in points]
    across, up = Scale(0, len(points) - 1, EDGE, WIDTH - EDGE), Scale(min(values), max(values), HEIGHT - EDGE, EDGE)
    return Trend(metric, points, [(across(number), up(value)) for number, value in enumerate(values)])

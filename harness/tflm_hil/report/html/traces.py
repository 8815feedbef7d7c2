"""The rows of a window as traces: a lane for each channel, on the same scale as in the window beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from tflm_hil.report.html.scale import Scale
from tflm_hil.results.groups import DifferenceFigures, WindowFigures

WIDTH, LANE, GAP = 600, 60, 8
POINTS = 150
"""Of more rows, the least and the greatest of each stretch are drawn."""
CHANNELS = 9


@dataclass(frozen=True)
class Trace:
    """A channel: its path, the middle of its lane, and the least and the greatest raw count in both windows."""

    path: str
    middle: float
    low: int
    high: int


@dataclass(frozen=True)
class Picture:
    """A window and its traces; `height` is that of all lanes, `left_out` how many channels are not drawn."""

    window: WindowFigures
    traces: list[Trace]
    height: int
    left_out: int


@dataclass(frozen=True)
class Pair:
    """A window that the device answered otherwise than the reference, and a neighbour where they agree, if any."""

    differs: Picture
    agrees: Picture | None


def pair(difference: DifferenceFigures) -> Pair:
    """Both windows of `difference` on the same scales."""
    windows = [window for window in (difference.differs, difference.agrees) if window is not None]
    channels = [_channels(window.rows) for window in windows]
    count = max((len(each) for each in channels), default=0)
    ranges = [
        (min(values), max(values))
        for number in range(min(count, CHANNELS))
        if (values := [value for each in channels if number < len(each) for value in each[number]])
    ]
    pictures = [_picture(window, each, ranges, count) for window, each in zip(windows, channels, strict=True)]
    return Pair(pictures[0], pictures[1] if len(pictures) > 1 else None)


def _channels(rows: Sequence[Sequence[int]]) -> list[list[int]]:
    """The columns of `rows`, which a file from elsewhere may have in different lengths."""
    count = max(map(len, rows), default=0)
    return [[row[channel] for row in rows if channel < len(row)] for channel in range(count)]


def _picture(window: WindowFigures, channels: list[list[int]], ranges: list[tuple[int, int]], count: int) -> Picture:
    traces = []
    for number, ((low, high), values) in enumerate(zip(ranges, channels, strict=False)):
        top = number * (LANE + GAP)
        traces.append(Trace(_path(values, Scale(low, high, top + LANE, top)), top + LANE / 2, low, high))
    return Picture(window, traces, len(ranges) * (LANE + GAP), count - len(ranges))


def _path(values: Sequence[int], up: Scale) -> str:
    """Whole coordinates, each from the one before it: that takes the fewest characters."""
    across = Scale(0, max(len(values) - 1, 1), 0, WIDTH)
    points = [(round(across(at)), round(up(value))) for at, value in _thinned(values)]
    steps = (f"{x - before_x} {y - before_y}" for (before_x, before_y), (x, y) in pairwise(points))
    return f"M{points[0][0]} {points[0][1]}l{' '.join(steps)}".replace(" -", "-") if points else ""


def _thinned(values: Sequence[int]) -> list[tuple[int, int]]:
    """Pairs of a place and a value, no more than POINTS."""
    numbered = list(enumerate(values))
    if len(numbered) <= POINTS:
        return numbered
    size = -(-len(numbered) * 2 // POINTS)
    stretches = [numbered[start : start + size] for start in range(0, len(numbered), size)]
    ends = [{bound(stretch, key=lambda point: point[1]) for bound in (min, max)} for stretch in stretches]
    return [point for each in ends for point in sorted(each)]

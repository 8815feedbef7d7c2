"""How latencies are distributed: the counts that the tests of a run measured, in bins of equal width."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import msgspec

from tflm_hil.report.html.scale import Scale, step, ticks
from tflm_hil.results.model import Run
from tflm_hil.results.parts import LatencyPart

WIDTH, HEIGHT, FOOT = 600, 150, 18
BINS = 40


@dataclass(frozen=True)
class Distribution:
    """Bars of `bins` inferences each, from `low` on, `width` counts wide.

    `path` draws them, and `marks` are the values that stand below, with their places. `median` is where the median
    lies, and `before` where that of the baseline did, None where it is not on the axis.
    """

    low: int
    width: int
    bins: list[int]
    path: str
    marks: list[tuple[float, int]]
    median: float
    before: float | None

    @property
    def busiest(self) -> tuple[int, int, int]:
        """The bin with most inferences: where it begins and ends, and how many they are."""
        most = max(range(len(self.bins)), key=self.bins.__getitem__)
        return self.low + most * self.width, self.low + (most + 1) * self.width - 1, self.bins[most]


def distribution(run: Run) -> Distribution | None:
    """That of the inferences of `run`; None if nothing was measured, or if all took the same."""
    latency = run.latency
    pairs = [pair for pair in _invocations(run, latency.unit) if pair[1] > 0] if latency else []
    if latency is None or len({count for count, _ in pairs}) < 2:
        return None
    lowest, highest = (bound(count for count, _ in pairs) for bound in (min, max))
    changes = run.comparison.changes if run.comparison else []
    before = next((round(change.before) for change in changes if change.metric == "latency.median"), None)
    if before is not None and lowest - before <= highest - lowest and before - highest <= highest - lowest:
        lowest, highest = min(lowest, before), max(highest, before)
    width = max(1, round(step(highest - lowest + 1, BINS)))
    low = lowest // width * width
    bins = [0] * ((highest - low) // width + 1)
    for count, times in pairs:
        bins[(count - low) // width] += times
    across, up = Scale(low, low + len(bins) * width, 0, WIDTH), Scale(0, max(bins), HEIGHT - FOOT, 4)
    edges = [round(across(low + number * width)) for number in range(len(bins) + 1)]
    bars = (
        f"M{left} {HEIGHT - FOOT}V{round(up(times))}H{right - 1}V{HEIGHT - FOOT}z"
        for (left, right), times in zip(pairwise(edges), bins, strict=True)
        if times
    )
    return Distribution(
        low,
        width,
        bins,
        "".join(bars),
        [(across(value), round(value)) for value in ticks(low, low + len(bins) * width)],
        across(latency.median),
        across(before) if before is not None and lowest <= before <= highest else None,
    )


def _invocations(run: Run, unit: str) -> Iterator[list[int]]:
    """Pairs of a count and how often it was measured. What has another shape in a file from elsewhere is left out."""
    stale = "latency" in run.stale
    for part in (part for case in run.tests if case.stale == stale for part in case.measured):
        try:
            latency = msgspec.convert(part.get("latency"), LatencyPart | None)
        except msgspec.ValidationError:
            continue
        if latency is not None and latency["unit"] == unit:
            yield from (pair for pair in latency["invoke"] if len(pair) == 2)

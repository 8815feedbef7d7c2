"""Check the times of a recording's rows against the sample rate."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

RATE_TOLERANCE = 0.05
"""The largest relative difference between the rate of `RATE_INTERVALS` intervals and the sample rate."""

RATE_INTERVALS = 32
HOLE = 0.5
"""The largest error of a single interval, in periods. A larger error ends the recording there."""

_ROUNDING = 1e-6
"""Allowance for times that are rounded to decimals."""


class RateError(ValueError):
    """Rows come at another rate than the sample rate: at `rate_hz` from row number `row` on."""

    def __init__(self, row: int, rate_hz: float) -> None:
        super().__init__(f"rows come at {rate_hz:.4g} Hz")
        self.row = row
        self.rate_hz = rate_hz


class DisorderError(ValueError):
    """Most rows have no later time than the row before them; `row` is the first of those."""

    def __init__(self, row: int) -> None:
        super().__init__("most times stand still or go back")
        self.row = row


def continuous(times: NDArray[np.float64], sample_rate_hz: float) -> list[slice]:
    """Return the runs of rows without holes between them; `times` are seconds, one per row.

    An interval is a hole if it is off by more than half a period: if rows are missing, a time is repeated or time goes
    back. Single intervals may jitter, but the rate must be right.

    Raises RateError if rows come at another rate, from the beginning or from some row on, and DisorderError if most
    times are not later than the one before.
    """
    intervals = np.diff(times) * sample_rate_hz
    late = intervals > 0
    if 2 * int(late.sum()) < len(late):
        raise DisorderError(int(late.argmin()) + 1)
    _refuse_steady_other_rate(intervals, sample_rate_hz)
    holes = np.flatnonzero(np.abs(intervals - 1.0) > HOLE + _ROUNDING) + 1
    bounds = [0, *holes.tolist(), len(times)]
    runs = [slice(start, stop) for start, stop in itertools.pairwise(bounds)]
    for run in runs:
        _refuse_other_mean_rate(intervals[run.start : run.stop - 1], run.start, sample_rate_hz)
    return runs


def _refuse_steady_other_rate(intervals: NDArray[np.float64], sample_rate_hz: float) -> None:
    """If most intervals agree with each other but not with the rate, they are not holes: the rate is wrong."""
    step = RATE_INTERVALS // 2
    for start in range(0, max(1, len(intervals) - step), step):
        part = intervals[start : start + RATE_INTERVALS]
        median = float(np.median(part)) if len(part) else 0.0
        if median > 0 and abs(1.0 / median - 1.0) > RATE_TOLERANCE:
            same = np.abs(part / median - 1.0) < RATE_TOLERANCE
            if 2 * int(same.sum()) > len(part):
                raise RateError(start + int(same.argmax()), sample_rate_hz / median)


def _refuse_other_mean_rate(intervals: NDArray[np.float64], first: int, sample_rate_hz: float) -> None:
    count = min(RATE_INTERVALS, len(intervals))
    if not count:
        return
    # The fewer intervals there are, the more the jitter of the first and the last time matters.
    tolerance = RATE_TOLERANCE if count == RATE_INTERVALS else RATE_TOLERANCE + HOLE / count
    sums = np.concatenate([[0.0], np.cumsum(intervals)])
    rates = count / (sums[count:] - sums[:-count])
    off = np.abs(rates - 1.0)
    if (off > tolerance).any():
        # The first stretch that is off only overlaps the rows with the wrong rate; the worst one is inside them.
        worst = int(off.argmax())
        raise RateError(first + worst, sample_rate_hz * float(rates[worst]))

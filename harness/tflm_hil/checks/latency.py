"""Latency: summarize the counts of many inferences."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Latency:
    """The distribution of `count` inferences, or of what goes with them; `min`, `median`, `p99` and `max` in `unit`.

    The unit is `instructions` in emulation, and `cycles` on hardware.
    """

    unit: str
    count: int
    min: int
    median: int
    p99: int
    max: int


def summarize(unit: str, counts: Iterable[int]) -> Latency:
    """Return the distribution of `counts`.

    Percentiles are nearest-rank (the smallest count that at least p % of all counts do not exceed), so every figure is
    a count that was really measured.

    Raises:
        ValueError: no counts.
    """
    ordered = sorted(counts)
    if not ordered:
        raise ValueError("no inference was measured")

    def rank(percent: int) -> int:
        return ordered[max(0, -(-percent * len(ordered) // 100) - 1)]

    return Latency(unit, len(ordered), ordered[0], rank(50), rank(99), ordered[-1])

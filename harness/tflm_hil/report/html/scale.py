"""Where a value lies in a drawing, and the round values that its axis names."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """From values between `low` and `high` to coordinates between `start` and `end`."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """The coordinate of `value`, to a tenth; of a range without an extent, the middle."""
        share = (value - self.low) / (self.high - self.low) if self.high > self.low else 0.5
        return round(self.start + share * (self.end - self.start), 1)


def step(extent: float, parts: int) -> float:
    """The least of 1, 2 and 5 times a power of ten that covers `extent` in no more than `parts` steps."""
    least = extent / parts
    power = 10.0 ** math.floor(math.log10(least))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= least * (1 - 1e-9))


def ticks(low: float, high: float, parts: int = 4) -> list[float]:
    """Round values from `low` to `high`; of a range without an extent, the only value."""
    if not high > low:
        return [low]
    size = step(high - low, parts)
    first = math.ceil(low / size - 1e-9)
    return [number * size for number in range(first, math.floor(high / size + 1e-9) + 1)]

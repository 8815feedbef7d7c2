"""Compare measured figures with their limits."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Excess:
    """A figure above the limit that the budget calls `name`, both in `unit`."""

    figure: str
    name: str
    measured: int
    limit: int
    unit: str

    def __str__(self) -> str:
        over = self.measured - self.limit
        return f"{self.figure}: {self.measured:,} {self.unit}, {over:,} over the budget of {self.limit:,}"


def over_budget(figures: Iterable[tuple[str, str, int, int | None, str]]) -> list[Excess]:
    """Return the rows (figure, name, measured, limit, unit) that exceed their limits; None is no limit."""
    return [
        Excess(figure, name, measured, limit, unit)
        for figure, name, measured, limit, unit in figures
        if limit is not None and measured > limit
    ]

"""How much of what takes most room each run may show, so that the page of many runs stays one that a browser likes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tflm_hil.results.model import Run

PAIRS, PAIRS_OF_A_RUN = 60, 4
LOGS_OF_A_RUN = 4
LOG_CHARACTERS, LEAST_LOG, MOST_LOG = 400_000, 500, 8_000
MANY = 50
"""So many runs may show more of their operators and symbols than those of a longer report."""


@dataclass(frozen=True)
class Room:
    """So many pairs of windows and logs a run may show, and of each log so many characters, its end.

    `operators` are those that take most, and `symbols` the largest of a section.
    """

    pairs: int
    logs: int
    characters: int
    operators: int
    symbols: int


def rooms(runs: Sequence[Run]) -> list[Room]:
    """That of each run. If more of them have windows to show than there is room for, the first ones have it."""
    logs = sum(min(LOGS_OF_A_RUN, sum(bool(case.log) for case in run.tests)) for run in runs)
    characters = max(LEAST_LOG, min(MOST_LOG, LOG_CHARACTERS // max(logs, 1)))
    pairs = min(PAIRS_OF_A_RUN, max(1, PAIRS // max(1, sum(bool(run.differences) for run in runs))))
    operators, symbols = (32, 10) if len(runs) <= MANY else (16, 6)
    left, found = PAIRS, []
    for run in runs:
        found.append(Room(min(pairs, left), LOGS_OF_A_RUN, characters, operators, symbols))
        left -= min(pairs, left, len(run.differences))
    return found

"""The smallest arena with which TensorFlow Lite Micro runs a network: found by trying, and remembered.

What the library reports afterwards as used is less than what it needs on the way there, so firmware/arena_search is
built once for a network and then run in an emulator with one size after the other.
"""

import enum
import json
from collections.abc import Callable
from pathlib import Path

from tflm_hil.files import write_text

STEP = 16
"""Bytes; the library aligns to as much."""
FIRST = 64 * STEP
"""STEP times a power of two, and so are all larger sizes tried first: half-way between two is a multiple of STEP."""


class Trial(enum.Enum):
    """What came of one size. The values are the exit statuses of firmware/arena_search."""

    FITS = 10
    TOO_SMALL = 11
    NO_MORE_RAM = 12


def outcome(status: int | None) -> Trial:
    """What the exit status of a trial says; one that hangs (None) or dies has too little."""
    return next((trial for trial in Trial if trial.value == status), Trial.TOO_SMALL)


def find_smallest(attempt: Callable[[int], Trial]) -> int | None:
    """The smallest multiple of STEP for which `attempt` says that it fits; None where not even all RAM does.

    An arena larger than one that fits is taken to fit as well.
    """
    too_small, fits = 0, FIRST
    while (outcome := attempt(fits)) == Trial.TOO_SMALL:
        too_small, fits = fits, 2 * fits
    known = outcome == Trial.FITS
    while fits - too_small > STEP:
        middle = (too_small + fits) // 2
        outcome = attempt(middle)
        if outcome == Trial.TOO_SMALL:
            too_small = middle
        else:
            fits, known = middle, outcome == Trial.FITS
    return fits if known else None


class ArenaCache:
    """Remembers sizes in files of `directory`, one a key."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def recall(self, key: str) -> int | None:
        """The size that was remembered under `key`."""
        try:
            found = json.loads(self._file(key).read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return None
        return found if isinstance(found, int) and found > 0 else None

    def remember(self, key: str, size: int) -> None:
        """Raises HilError where it cannot be written."""
        write_text(self._file(key), f"{size}\n")

    def _file(self, key: str) -> Path:
        return self._directory / f"{key}.json"

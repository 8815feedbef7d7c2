"""Whether a sensor has sensed a recording."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def found_at(block: NDArray[Any], rows: NDArray[Any]) -> tuple[int, int]:
    """Return where in `rows` most of the first rows of `block` stand without a gap, and how many these are."""
    best = 0, 0
    for start in range(len(rows)):
        there = rows[start : start + len(block)]
        differ = np.flatnonzero((there != block[: len(there)]).any(axis=1))
        length = int(differ[0]) if len(differ) else len(there)
        if length > best[1]:
            best = start, length
    return best

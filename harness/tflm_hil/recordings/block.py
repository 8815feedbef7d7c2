"""The content of a file of recordings, whatever its format: numbers with labels, still in the units of the file."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

QUOTED = 60
"""The most characters of a file that a message quotes."""


@dataclass(frozen=True)
class Layout:
    """How to read a file.

    `columns` are the columns to read, in this order. `names` are all columns of a CSV file without a header, None if it
    has a header. `rows` is the fixed length of the recordings, None if blank lines separate them. Values of
    `time_column` are in units of `time_unit_s` seconds and are checked against `sample_rate_hz`.
    """

    columns: Sequence[str]
    sample_rate_hz: float
    names: Sequence[str] | None = None
    rows: int | None = None
    label_column: str | None = None
    time_column: str | None = None
    time_unit_s: float = 1.0


@dataclass(frozen=True, eq=False)
class Block:
    """One recording, or a part of a recording whose times have holes.

    `values` is float64 [rows, columns], `labels` has a label or None for each row, `line` is the line of the file where
    the block begins. `number` counts the recordings of the file from 1, and `part` the parts of a recording from 1; it
    is None for a whole recording. `units` are the units that the file names for its columns, None for a column without.
    """

    values: NDArray[np.float64]
    labels: list[str | None]
    line: int
    number: int
    part: int | None = None
    units: tuple[str | None, ...] | None = None


def quoted(text: str) -> str:
    """Return `text` from a file, printable and short enough for a message."""
    shown = "".join(character if character.isprintable() else "?" for character in text)
    return shown if len(shown) <= QUOTED else f"{shown[: QUOTED - 3]}..."

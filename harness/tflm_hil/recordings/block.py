"""What a file of recordings gives, whatever its format: numbers with their labels, still in the file's own units."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

QUOTED = 60
"""Characters of a file that a message quotes at most."""


@dataclass(frozen=True)
class Layout:
    """How to read a file.

    `columns` are wanted in that order. `names` are the columns of a CSV file without a header, None if it has one.
    `rows` is the fixed length of its recordings, None if blank lines separate them. Values of `time_column` are in
    units of `time_unit_s` seconds, and are checked against `sample_rate_hz`.
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
    """One recording, or a part of one whose times have holes.

    `values` is float64 [rows, columns], `labels` has a label or None for each row, `line` is where it begins in the
    file. `number` counts the file's recordings from 1, `part` the parts of this one from 1; it is None for a whole one.
    `units` are those that the file itself names for its columns, None for a column without.
    """

    values: NDArray[np.float64]
    labels: list[str | None]
    line: int
    number: int
    part: int | None = None
    units: tuple[str | None, ...] | None = None


def quoted(text: str) -> str:
    """`text` of a file as a message shows it: printable and not long."""
    shown = "".join(character if character.isprintable() else "?" for character in text)
    return shown if len(shown) <= QUOTED else f"{shown[: QUOTED - 3]}..."

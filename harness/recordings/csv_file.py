"""Reading CSV files of sensor rows: any order of columns, one recording a file or several."""

import csv
import io
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness.errors import HilError

RATE_TOLERANCE = 0.05
"""How far the median interval of a time column may be from the stated sample rate."""


@dataclass(frozen=True)
class Layout:
    """How to read a file.

    `columns` are wanted in that order. `names` are the columns of a file without a header, None if it has one.
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


@dataclass(frozen=True)
class Block:
    """One recording: `values` float64 [rows, columns], a label or None for each row, and the `line` it begins in."""

    values: NDArray[np.float64]
    labels: list[str | None]
    line: int


@dataclass(frozen=True)
class _Row:
    line: int
    cells: list[str]


def read_csv(path: Path, layout: Layout) -> list[Block]:
    """The recordings in `path`, in order.

    Takes UTF-8 with or without a byte order mark and any line ending; columns that nobody asked for are ignored.

    Raises HilError, naming file and line, for a file that cannot be read, is empty or not UTF-8, has no header or
    lacks a column, for ragged rows, for cells that are not finite numbers, for rows left over at the end of a file
    with recordings of fixed length, and for times that do not fit the sample rate.
    """
    groups = list(_groups(_lines(path)))
    if not groups:
        raise HilError(f"{path}: is empty; record it again or take it out of the manifest")
    where = f"{path}:{groups[0][0].line}"
    header = layout.names or _header(where, groups[0].pop(0))
    wanted = [_position(where, header, name) for name in layout.columns]
    label_at = None if layout.label_column is None else _position(where, header, layout.label_column)
    time_at = None if layout.time_column is None else _position(where, header, layout.time_column)

    blocks = []
    for rows in _recordings(path, groups, layout.rows):
        for row in rows:
            if len(row.cells) != len(header):
                raise HilError(
                    f"{path}:{row.line}: has {len(row.cells)} cells where there are {len(header)} columns; "
                    "complete or delete the row"
                )
        values = [[_number(path, row, header, at) for at in wanted] for row in rows]
        labels = [None if label_at is None else row.cells[label_at] or None for row in rows]
        if time_at is not None:
            times = np.array([_number(path, row, header, time_at) for row in rows]) * layout.time_unit_s
            _check_times(path, rows, times, layout.sample_rate_hz)
        blocks.append(Block(np.array(values, dtype=np.float64), labels, rows[0].line))
    if not blocks:
        raise HilError(f"{path}: has a header but no rows; record it again or take it out of the manifest")
    return blocks


def _lines(path: Path) -> Iterator[_Row]:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise HilError(f"{path}: cannot be read ({error.strerror}); restore it or correct the manifest") from error
    except UnicodeDecodeError as error:
        raise HilError(f"{path}: is not UTF-8 (byte {error.start}); save it as CSV in UTF-8") from error
    reader = csv.reader(io.StringIO(text, newline=None), skipinitialspace=True)
    try:
        for cells in reader:
            yield _Row(reader.line_num, [cell.strip() for cell in cells])
    except csv.Error as error:
        raise HilError(f"{path}:{reader.line_num}: is not CSV ({error}); correct the line") from error


def _groups(lines: Iterator[_Row]) -> Iterator[list[_Row]]:
    """Runs of lines between blank ones. Spreadsheets write a blank line as commas only."""
    group: list[_Row] = []
    for row in lines:
        if any(row.cells):
            group.append(row)
        elif group:
            yield group
            group = []
    if group:
        yield group


def _recordings(path: Path, groups: list[list[_Row]], length: int | None) -> list[list[_Row]]:
    if length is None:
        return [group for group in groups if group]
    rows = [row for group in groups for row in group]
    left = len(rows) % length
    if left:
        raise HilError(
            f"{path}:{rows[-left].line}: the last recording has {left} of {length} rows; "
            "complete it or correct `rows` in the manifest"
        )
    return [rows[start : start + length] for start in range(0, len(rows), length)]


def _header(where: str, row: _Row) -> list[str]:
    if all(_is_number(cell) for cell in row.cells):
        raise HilError(f"{where}: is no header; add one, or list the columns as `names` in the manifest")
    return row.cells


def _position(where: str, header: Sequence[str], name: str) -> int:
    count = header.count(name)
    if count != 1:
        problem = f"there is no column {name!r}" if count == 0 else f"there are {count} columns {name!r}"
        raise HilError(f"{where}: {problem} in {', '.join(header)}; correct the header or [columns] in the manifest")
    return header.index(name)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    # float() also takes Python's digit separators, which no sensor writes.
    return "_" not in cell


def _number(path: Path, row: _Row, header: Sequence[str], at: int) -> float:
    cell = row.cells[at]
    if not _is_number(cell):
        raise HilError(
            f"{path}:{row.line}: column {header[at]} holds {cell!r}, which is not a number; correct or delete the row"
        )
    value = float(cell)
    if not math.isfinite(value):
        raise HilError(
            f"{path}:{row.line}: column {header[at]} holds {cell}, which no sensor sends; correct or delete the row"
        )
    return value


def _check_times(path: Path, rows: list[_Row], times: NDArray[np.float64], sample_rate_hz: float) -> None:
    steps = np.diff(times)
    if not len(steps):
        return
    backwards = np.flatnonzero(steps <= 0)
    if len(backwards):
        line = rows[int(backwards[0]) + 1].line
        raise HilError(f"{path}:{line}: time does not advance; separate recordings by a blank line or mend the row")
    rate = 1.0 / float(np.median(steps))
    if abs(rate / sample_rate_hz - 1.0) > RATE_TOLERANCE:
        raise HilError(
            f"{path}:{rows[0].line}: rows come at {rate:.4g} Hz, not the manifest's {sample_rate_hz:g} Hz; "
            "correct sample_rate_hz or time_unit, or resample the file"
        )

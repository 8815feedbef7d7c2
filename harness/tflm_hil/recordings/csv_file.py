"""Read CSV files of sensor rows, with columns in any order, and one or several recordings per file."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tflm_hil.errors import HilError
from tflm_hil.recordings.block import Block, Layout, quoted
from tflm_hil.recordings.timing import DisorderError, RateError, continuous

_SURPLUS = "delete the row or the surplus cells, and write decimals with dots"
_OTHER_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "vertical bars", " ": "spaces"}


@dataclass(frozen=True)
class _Row:
    line: int
    cells: list[str]


def read_csv(path: Path, text: str, layout: Layout) -> list[Block]:
    """Return the recordings in `text`, the content of `path`, in order.

    All line endings are accepted, also CR CR LF, which results from translating line endings twice. Columns that the
    layout does not name are ignored. A recording whose times have holes is split into parts (see timing.py).

    Raises HilError, which names file and line, if the file is empty, has no header or lacks a column; if rows are
    ragged; if cells are not finite numbers; if recordings have a fixed length and the last one is shorter; and if the
    rows have another rate than the layout.
    """
    groups = list(_groups(_rows(path, text)))
    if not groups:
        raise HilError(f"{path}: is empty; record it again or take it out of the manifest")
    where = f"{path}:{groups[0][0].line}"
    _refuse_other_separator(where, text, groups[0][0], layout)
    header = layout.names or _header(where, groups[0].pop(0))
    wanted = [_position(where, header, name) for name in layout.columns]
    label_at = None if layout.label_column is None else _position(where, header, layout.label_column)
    time_at = None if layout.time_column is None else _position(where, header, layout.time_column)

    blocks: list[Block] = []
    for number, rows in enumerate(_recordings(path, groups, layout.rows), start=1):
        for row in rows:
            if len(row.cells) != len(header):
                raise HilError(
                    f"{path}:{row.line}: has {len(row.cells)} cells, but there are {len(header)} columns; "
                    + ("complete or delete the row" if len(row.cells) < len(header) else _SURPLUS)
                )
        values = np.array([[_number(path, row, header, at) for at in wanted] for row in rows], dtype=np.float64)
        labels = [None if label_at is None else row.cells[label_at] or None for row in rows]
        parts = [slice(0, len(rows))] if time_at is None else _parts(path, rows, header, time_at, layout)
        for part, run in enumerate(parts, start=1):
            blocks.append(
                Block(values[run], labels[run], rows[run.start].line, number, part if len(parts) > 1 else None)
            )
    if not blocks:
        raise HilError(f"{path}: has a header but no rows; record it again or take it out of the manifest")
    return blocks


def _rows(path: Path, text: str) -> Iterator[_Row]:
    lines = text.replace("\r\r\n", "\n").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    reader = csv.reader((f"{line}\n" for line in lines), skipinitialspace=True, strict=True)
    begins = 1
    try:
        for cells in reader:
            if reader.line_num > begins:
                raise csv.Error("unexpected end of data")  # A row is one line: sensors write no line breaks into cells.
            yield _Row(begins, [cell.strip() for cell in cells])
            begins = reader.line_num + 1
    except csv.Error as error:
        for separator, called in _OTHER_SEPARATORS.items():
            if f'"{separator}"' in lines[begins - 1]:
                raise HilError(f"{path}:{begins}: {_separated(called)}") from None
        if '"' in lines[begins - 1]:
            raise HilError(
                f"{path}:{begins}: has a quote that is not closed or does not enclose a whole cell, in "
                f"{quoted(lines[begins - 1])!r}; close or delete the quote"
            ) from None
        raise HilError(f"{path}:{begins}: is not CSV ({error}); correct the line") from error


def _groups(lines: Iterator[_Row]) -> Iterator[list[_Row]]:
    """Groups of lines between blank lines. Spreadsheets write a blank line as commas only."""
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


def _parts(path: Path, rows: Sequence[_Row], header: Sequence[str], time_at: int, layout: Layout) -> list[slice]:
    times = np.array([_number(path, row, header, time_at) for row in rows]) * layout.time_unit_s
    try:
        return continuous(times, layout.sample_rate_hz)
    except RateError as error:
        raise HilError(
            f"{path}:{rows[error.row].line}: from here on, {error}, not at the {layout.sample_rate_hz:g} Hz of the "
            "manifest; correct sample_rate_hz or time_unit, or resample the file"
        ) from None
    except DisorderError as error:
        raise HilError(
            f"{path}:{rows[error.row].line}: {error} in column {quoted(header[time_at])}; correct time_column, or take"
            " it out of the manifest if the rows have no times of their own"
        ) from None


def _refuse_other_separator(where: str, text: str, first: _Row, layout: Layout) -> None:
    """Raise HilError, which names the separator, if the first line makes sense only with another one."""
    names = layout.names or layout.columns

    def fits(cells: Sequence[str]) -> bool:
        return len(cells) == len(names) if layout.names else set(names) <= set(cells)

    foreign = any(separator in cell for cell in first.cells for separator in _OTHER_SEPARATORS if separator != " ")
    if len(names) < 2 or (fits(first.cells) and not foreign):
        return
    line = text.lstrip("\r\n ").splitlines()[0]
    for separator, called in _OTHER_SEPARATORS.items():
        if fits([cell.strip(' "') for cell in line.split(separator)]):
            raise HilError(f"{where}: {_separated(called)}")


def _separated(called: str) -> str:
    return f"cells are separated by {called}; save it with commas, and decimals with dots"


def _header(where: str, row: _Row) -> list[str]:
    if row.cells[0].startswith("sep="):
        raise HilError(f"{where}: {quoted(row.cells[0])} is for spreadsheets; delete the line")
    if all(_is_number(cell) for cell in row.cells):
        raise HilError(f"{where}: is not a header; add one, or list the columns as `names` in the manifest")
    return row.cells


def _position(where: str, header: Sequence[str], name: str) -> int:
    count = header.count(name)
    if count != 1:
        problem = f"there is no column {name!r}" if count == 0 else f"there are {count} columns {name!r}"
        columns = quoted(", ".join(header))
        raise HilError(f"{where}: {problem} in {columns}; correct the header or [columns] in the manifest")
    return header.index(name)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    # float() also accepts Python's digit separators, which no sensor writes.
    return "_" not in cell


def _number(path: Path, row: _Row, header: Sequence[str], at: int) -> float:
    cell = row.cells[at]
    if _is_number(cell) and math.isfinite(value := float(cell)):
        return value
    where = f"{path}:{row.line}: column {quoted(header[at])}"
    if _is_number(cell):
        raise HilError(f"{where} holds {quoted(cell)}, which is not finite; correct or delete the row")
    mend = "write decimals with dots" if _is_number(cell.replace(",", ".")) else "correct or delete the row"
    raise HilError(f"{where} holds {quoted(cell)!r}, which is not a number; {mend}")

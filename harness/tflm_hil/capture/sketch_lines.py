"""Lines that a sketch prints: rows of six numbers, empty lines, comments, and what is none of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tflm_hil.capture.setup import CHANNELS, Values
from tflm_hil.device.text import printable
from tflm_hil.errors import HilError
from tflm_hil.recordings.block import quoted

EXPECTED = f"{len(CHANNELS)} numbers with commas between them: {','.join(CHANNELS)}"

_LONGEST = 1000
"""Bytes of a line; what is longer is cut into several."""

# What the serial monitor of the Arduino IDE and others put before a line.
_STAMP = re.compile(r"^\s*\[?\d{1,2}:\d{2}:\d{2}(?:[.,]\d{1,6})?\]?\s*(?:->|>|:)?\s+")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
# As an Arduino prints what is no number.
_NOT_FINITE = ("nan", "inf", "-inf", "ovf", "-ovf")
_WORD = re.compile(r"[^\W\d_]{2,}")
_SEPARATORS = {";": "semicolons", "\t": "tabs", " ": "spaces"}


@dataclass(frozen=True, eq=False)
class Row:
    """A row of values [6]."""

    values: Values


@dataclass(frozen=True)
class Empty:
    """An empty line, which ends a gesture."""


@dataclass(frozen=True)
class Header:
    """The names of the columns."""


@dataclass(frozen=True)
class Comment:
    """What follows a `#`."""

    text: str


@dataclass(frozen=True)
class Words:
    """A line for people. It may be a part of one, or be glued to a row."""

    text: str


@dataclass(frozen=True)
class Wrong:
    """A line that should have been a row, and why it is none. `noise` is one that is no text at all."""

    why: str
    noise: bool = False


Line = Row | Empty | Header | Comment | Words | Wrong


class Lines:
    """Cuts bytes into lines, however they arrive. LF, CR LF and CR CR LF end one."""

    def __init__(self) -> None:
        self._pending = b""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the lines that `data` completes, without their ends."""
        *lines, self._pending = (self._pending + data).split(b"\n")
        while len(self._pending) > _LONGEST:
            lines.append(self._pending[:_LONGEST])
            self._pending = self._pending[_LONGEST:]
        for line in lines:
            yield line.rstrip(b"\r")


def parse(content: bytes) -> Line:
    """Return what the line `content` is.

    Raises HilError if it is a row in another format than ours: another separator, or another order of columns. All rows
    of that sketch are.
    """
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return _noise(content)
    if not text.replace("\t", " ").replace("\r", " ").isprintable():
        return _noise(content)
    text = _STAMP.sub("", text, count=1).strip()
    if not text:
        return Empty()
    if text.startswith("#"):
        return Comment(text.lstrip("# "))
    cells = [cell.strip() for cell in text.split(",")]
    if all(_NUMBER.fullmatch(cell) for cell in cells) and len(cells) == len(CHANNELS):
        return _row(cells)
    _refuse_other_format(text, cells)
    if [cell.lower() for cell in cells] == [name.lower() for name in CHANNELS]:
        return Header()
    if _WORD.search(text) and not any(cell.lower() in _NOT_FINITE for cell in cells):
        return Words(text)
    return Wrong(_why_no_row(text, cells))


def _row(cells: list[str]) -> Line:
    values = np.array([float(cell) for cell in cells])
    if not np.isfinite(values).all():
        return Wrong(f"{quoted(','.join(cells))} has a number beyond all bounds")
    return Row(values)


def _why_no_row(text: str, cells: list[str]) -> str:
    bad = next((cell for cell in cells if not _NUMBER.fullmatch(cell)), None)
    if bad is not None and bad.lower() in _NOT_FINITE:
        return f"{quoted(text)!r} has {bad}, which is no number"
    if len(cells) != len(CHANNELS):
        return f"{quoted(text)!r} has {len(cells)} {'value' if len(cells) == 1 else 'values'}"
    return f"{quoted(text)!r} has {quoted(str(bad))!r}, which is no number"


def _refuse_other_format(text: str, cells: list[str]) -> None:
    names = [cell.lower() for cell in cells]
    wanted = [name.lower() for name in CHANNELS]
    if names != wanted and sorted(names) == sorted(wanted):
        raise HilError(f"the columns are {', '.join(cells)}; let the sketch print {','.join(CHANNELS)}")
    for separator, called in _SEPARATORS.items():
        parts = [part.strip() for part in (text.split() if separator == " " else text.split(separator))]
        # With commas as decimal points as well, as a German spreadsheet writes them.
        if len(parts) == len(CHANNELS) and all(_NUMBER.fullmatch(part.replace(",", ".")) for part in parts):
            raise HilError(f"the numbers are separated by {called}; let the sketch print {EXPECTED}")


def _noise(content: bytes) -> Wrong:
    return Wrong(f"{quoted(printable(content))} is no text", noise=True)

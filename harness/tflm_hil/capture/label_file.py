"""The CSV file of one label: gestures are appended whole, and each ends with an empty line."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from tflm_hil.capture.setup import CHANNELS, Values
from tflm_hil.errors import HilError

_HEADER = ",".join(CHANNELS)


class LabelFile:
    """Appends gestures of `rows` rows to `path`, each channel with its `decimals`.

    The empty line after a gesture says that all of it is there. What follows the last one was cut off, by a crash or a
    full disk: it is removed, and `say` is told, unless it is whole. Raises HilError if the file has other columns, or
    cannot be read.
    """

    def __init__(self, path: Path, decimals: Sequence[int], rows: int, say: Callable[[str], None]) -> None:
        self.count = 0
        """The number of gestures in it."""
        self._path = path
        self._decimals = decimals
        self._end = 0
        if path.exists():
            self._mend(rows, say)

    def add(self, gesture: Values) -> None:
        """Append `gesture` [rows, 6], and return when it is on the disk. Raises OSError if that fails."""
        rows = [
            ",".join(f"{value:.{decimals}f}" for value, decimals in zip(row, self._decimals, strict=True))
            for row in gesture
        ]
        new = not self._end
        block = "".join(f"{line}\n" for line in ([_HEADER] if new else []) + rows) + "\n"
        with self._path.open("r+b" if self._path.exists() else "xb") as file:
            # Behind the last whole one, and not at the end: an attempt before may have failed half way.
            file.truncate(self._end)
            file.seek(self._end)
            file.write(block.encode())
            file.flush()
            os.fsync(file.fileno())
        if new:
            _sync_folder(self._path.parent)
        self._end += len(block)
        self.count += 1

    def _mend(self, rows: int, say: Callable[[str], None]) -> None:
        try:
            content = self._path.read_bytes()
        except OSError as error:
            raise HilError(f"{self._path}: cannot be read ({error.strerror}); mend that, or move it away") from error
        lines = content.splitlines(keepends=True)
        if not content.endswith(b"\n") and len(lines) <= 1:
            return  # Not even the header is there.
        if lines[0].strip() != _HEADER.encode():
            raise HilError(f"{self._path}: its first line is not {_HEADER}; choose another --label, or move it away")
        at = self._end = len(lines[0])
        begun = length = 0  # rows, of the gesture that has begun and of the one before
        for line in lines[1:]:
            at += len(line)
            if line.strip(b", \t\r\n"):
                begun += 1
                continue
            if begun:
                self.count, length, begun = self.count + 1, begun, 0
            self._end = at
        if begun:
            self._mend_tail(content, begun, length or rows, say)

    def _mend_tail(self, content: bytes, begun: int, rows: int, say: Callable[[str], None]) -> None:
        """See to a last gesture without an empty line behind it, of which `begun` of `rows` rows are there."""
        whole = content.endswith(b"\n") and begun == rows
        try:
            with self._path.open("r+b") as file:
                file.truncate(len(content) if whole else self._end)
                file.seek(0, os.SEEK_END)
                file.write(b"\n" if whole else b"")
                self._end = file.tell()
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise HilError(f"{self._path}: cannot be written ({error.strerror}); mend that, or move it away") from error
        if whole:
            self.count += 1
        else:
            say(f"{self._path}: the last gesture was cut off ({begun} of {rows} rows); what was there of it is deleted")


def _sync_folder(folder: Path) -> None:
    """Have the disk know the names of the files in `folder`."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

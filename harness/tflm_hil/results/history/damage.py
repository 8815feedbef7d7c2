"""A damaged history is kept aside, and what can be read of it goes on in a new one."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import quote

from tflm_hil.results.history.database import writing
from tflm_hil.results.history.rows import SESSION, add_run, add_session, read_run

LOG, INDEX = "-wal", "-shm"
"""Files that SQLite keeps beside a database that is open or was not closed: what is not in it yet, and its index."""

_SMALLEST_ROW = 64
"""Bytes: a digest and some text."""


def rebuild(path: Path, reason: str) -> str:
    """Replace the database by one of the runs that can be read; return a line that says so. Hold `locked`.

    The damaged one is kept as `history.sqlite.corrupt-1`, or the next number. Raises OSError.
    """
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".history-") as folder:
        new = Path(folder) / path.name
        found = _salvage(path, new)
        aside = _aside(path)
        for name in (LOG, INDEX):  # A new database must not find those of another.
            Path(f"{path}{name}").unlink(missing_ok=True)
        new.replace(path)
    return (
        f"{path} was damaged ({reason}): it is kept as {aside.name}, and a new one has all that could be read, "
        f"{found:,} runs"
    )


def _salvage(path: Path, new: Path) -> int:
    """Copy every run that can be read, by its number: what lies on one damaged page takes nothing else with it."""
    found = 0
    with writing(new) as target, closing(_opened(path)) as source:
        sessions: dict[int, int] = {}
        most = path.stat().st_size // _SMALLEST_ROW
        for number in _numbers(source, "session", most):
            with suppress(sqlite3.Error):
                row = source.execute(f"SELECT {', '.join(SESSION)} FROM session WHERE id = ?", (number,)).fetchone()
                if row:
                    sessions[number] = add_session(target, row)
        for number in _numbers(source, "run", most):
            with suppress(sqlite3.Error, LookupError):
                (session,) = source.execute("SELECT session FROM run WHERE id = ?", (number,)).fetchone() or (None,)
                found += session in sessions and add_run(
                    target, sessions[session], read_run(source, number, damaged=True)
                )
    return found


def _opened(path: Path) -> sqlite3.Connection:
    """What lies in its log is read as well. What is no database has no tables, which is as if none could be read."""
    source = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, isolation_level=None)
    # Otherwise SQLite reads nothing at all of a file that was cut off.
    source.execute("PRAGMA writable_schema = ON")
    return source


def _numbers(source: sqlite3.Connection, table: str, most: int) -> Iterator[int]:
    """The numbers that rows of the table may have: up to the last that is seen from either end.

    No row is ever deleted, so a number above `most` rows is not one of ours.
    """
    last = 0
    for order in ("ASC", "DESC"):
        with suppress(sqlite3.Error):
            for (number,) in source.execute(f"SELECT id FROM {table} NOT INDEXED ORDER BY id {order}"):
                if isinstance(number, int):
                    last = max(last, number)
                if order == "DESC":
                    break
    return iter(range(1, min(last, most) + 1))


def _aside(path: Path) -> Path:
    number = 1
    while Path(f"{path}.corrupt-{number}").exists():
        number += 1
    aside = Path(f"{path}.corrupt-{number}")
    for name in ("", LOG):
        file = Path(f"{path}{name}")
        if file.exists() and file.stat().st_size:
            try:
                os.link(file, f"{aside}{name}")
            except OSError:  # No links on this file system.
                shutil.copyfile(file, f"{aside}{name}")
    return aside

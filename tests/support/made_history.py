"""Histories for tests: sessions of made-up results."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from tflm_hil.checks.latency import Latency
from tflm_hil.results.history.record import record
from tflm_hil.results.model import Results

from support.made_results import results, run


def session(number: int, *, commit: str = "", dirty: bool = False, **fields: object) -> Results:
    """The results of one session with one run; sessions of different numbers have other commits.

    The median is 13,000 and the number, unless `fields` of the run say otherwise.
    """
    latency = Latency("instructions", 10, 1, 13_000 + number, 14_000, 14_006)
    made = run(**({"latency": latency} | fields))  # type: ignore[arg-type]
    git = {"commit": commit or f"{number:040x}", "branch": "main", "dirty": dirty}
    return results(made, created=f"2026-01-01T{number:06}", git=git)


def history(folder: Path, sessions: int) -> Path:
    """A history of so many sessions."""
    database = folder / "history.sqlite"
    for number in range(sessions):
        assert record(database, session(number)) == []
    return database


def ask(database: Path, query: str) -> list[Any]:
    """What SQLite itself answers, as one list of all columns of all rows."""
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        return [value for row in connection.execute(query) for value in row]

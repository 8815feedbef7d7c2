"""Rows of a history: adding what was measured, and copying it from another database, without doing either twice."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import zlib
from collections.abc import Iterable, Mapping
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from typing import Any

SESSION = ("digest", "created", "commit_hash", "branch", "dirty", "changes", "facts")
RUN = ("digest", "name", "model", "variant", "engine", "target", "place", "verdict", "created")
PARTS = ("body", "symbols", "outputs", "meaning")


@dataclass(frozen=True)
class RunRow:
    """A run: `columns` as in RUN, its parts as compressed, None where one is lost, and figures by metric and unit."""

    columns: tuple[Any, ...]
    parts: tuple[bytes | None, ...]
    figures: Mapping[tuple[str, str], float] = field(default_factory=dict)


def digest(*contents: bytes) -> bytes:
    """What is the same in any database."""
    return hashlib.sha256(b"\0".join(hashlib.sha256(content).digest() for content in contents)).digest()


def packed(content: bytes) -> bytes:
    """`content` as it is stored; the same bytes for the same content."""
    return zlib.compress(content, 9)


def canonical(value: Any) -> bytes:
    """JSON that is the same for equal values."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def add_session(connection: sqlite3.Connection, columns: Iterable[Any]) -> int:
    """The number of the session, which is new or was there; `columns` are as in SESSION."""
    values = tuple(columns)
    return _add(connection, "session", SESSION, values, values[0])


def add_run(connection: sqlite3.Connection, session: int, run: RunRow) -> bool:
    """Add a run, unless it is there; return whether it was added."""
    if connection.execute("SELECT 1 FROM run WHERE digest = ?", run.columns[:1]).fetchone():
        return False
    parts = [content and _add_part(connection, content) for content in run.parts]
    number = _insert(connection, "run", ("session", *RUN, *PARTS), (session, *run.columns, *parts))
    for (name, unit), value in run.figures.items():
        connection.execute(
            "INSERT INTO figure (metric, run, value) VALUES (?, ?, ?)", (_metric(connection, name, unit), number, value)
        )
    return True


def copy(source: sqlite3.Connection, target: sqlite3.Connection) -> int:
    """Add what `source` has and `target` lacks; return the number of runs that were added."""
    added = 0
    for number, *columns in source.execute(f"SELECT id, {', '.join(SESSION)} FROM session ORDER BY id").fetchall():
        session = add_session(target, columns)
        for (run,) in source.execute("SELECT id FROM run WHERE session = ? ORDER BY id", (number,)).fetchall():
            added += add_run(target, session, read_run(source, run))
    return added


def read_run(source: sqlite3.Connection, number: int, damaged: bool = False) -> RunRow:
    """The run of this number; of a `damaged` database without the figures and the parts that cannot be read.

    Raises sqlite3.Error, and LookupError if there is none.
    """

    def ask(query: str, *arguments: object) -> tuple[Any, ...]:
        with suppress(sqlite3.DatabaseError) if damaged else nullcontext():
            return source.execute(query, arguments).fetchone() or ()
        return ()

    row = source.execute(f"SELECT {', '.join((*RUN, *PARTS))} FROM run WHERE id = ?", (number,)).fetchone()
    if row is None:
        raise LookupError(f"no run {number}")
    figures = {}
    for metric, name, unit in source.execute("SELECT id, name, unit FROM metric").fetchall():
        for value in ask("SELECT value FROM figure WHERE metric = ? AND run = ?", metric, number):
            figures[name, unit] = value
    parts = [ask("SELECT digest, content FROM part WHERE id = ?", part) for part in row[len(RUN) :]]
    sound = (found[1] if found and digest(found[1]) == found[0] else None for found in parts)
    return RunRow(row[: len(RUN)], tuple(sound), figures)


def unpacked(content: bytes) -> bytes:
    """What `packed` made it of. Raises zlib.error."""
    return zlib.decompress(content)


def _add_part(connection: sqlite3.Connection, content: bytes) -> int:
    name = digest(content)
    return _add(connection, "part", ("digest", "content"), (name, content), name)


def _metric(connection: sqlite3.Connection, name: str, unit: str) -> int:
    found = connection.execute("SELECT id FROM metric WHERE name = ? AND unit = ?", (name, unit)).fetchone()
    return int(found[0]) if found else _insert(connection, "metric", ("name", "unit"), (name, unit))


def _add(
    connection: sqlite3.Connection, table: str, names: tuple[str, ...], values: tuple[Any, ...], name: bytes
) -> int:
    found = connection.execute(f"SELECT id FROM {table} WHERE digest = ?", (name,)).fetchone()
    return int(found[0]) if found else _insert(connection, table, names, values)


def _insert(connection: sqlite3.Connection, table: str, names: tuple[str, ...], values: tuple[Any, ...]) -> int:
    marks = ", ".join("?" * len(values))
    number = connection.execute(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})", values).lastrowid
    assert number is not None
    return number

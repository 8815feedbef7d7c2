"""Runs of a history, whole again: those of a session, or of a commit."""

from __future__ import annotations

import json
import sqlite3
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from tflm_hil.errors import HilError
from tflm_hil.results.groups import MeaningFigures, SymbolFigures
from tflm_hil.results.history.database import reading
from tflm_hil.results.history.rows import unpacked
from tflm_hil.results.model import Run

SELECT = """
SELECT session.id, session.commit_hash, session.dirty, session.facts, run.name,
    body.content, symbols.content, outputs.content, meaning.content
FROM run JOIN session ON session.id = run.session
    LEFT JOIN part AS body ON body.id = run.body
    LEFT JOIN part AS symbols ON symbols.id = run.symbols
    LEFT JOIN part AS outputs ON outputs.id = run.outputs
    LEFT JOIN part AS meaning ON meaning.id = run.meaning
"""


@dataclass(frozen=True)
class Stored:
    """A run of the session of this number, of `commit`, with local changes if it is `dirty`, and with `toolchain`."""

    session: int
    commit: str
    dirty: bool
    toolchain: dict[str, str]
    run: Run


def runs_of_session(database: Path, number: int) -> list[Stored]:
    """The runs of a session. Raises HilError if there is none of this number, and as `reading`."""
    with reading(database) as connection:
        found = [_stored(database, row) for row in connection.execute(f"{SELECT} WHERE session.id = ?", (number,))]
    if not found:
        raise HilError(f"@{number}: no such session in the history; `hil history` lists them")
    return found


def runs_of_commit(database: Path, commit: str) -> list[Stored]:
    """The last measurement of each run at the commit whose hash begins so, without local changes if there is one.

    Empty if nothing was measured. Raises HilError if it stands for several commits, and as `reading`.
    """
    with reading(database) as connection:
        like = "commit_hash >= ? AND commit_hash < ?"
        bounds = (commit, f"{commit}g")  # behind all hexadecimal digits
        commits = [
            hash for (hash,) in connection.execute(f"SELECT DISTINCT commit_hash FROM session WHERE {like}", bounds)
        ]
        if len(commits) > 1:
            raise HilError(f"{commit}: {len(commits)} commits of the history begin so; write more of its hash")
        latest: dict[tuple[str, ...], int] = {}
        for *identity, number in connection.execute(
            "SELECT model, variant, engine, target, place, run.id FROM run JOIN session ON session.id = run.session"
            f" WHERE {_LIKE} ORDER BY dirty DESC, run.created, run.id",
            _range(commit),
        ):
            latest[tuple(identity)] = number
        rows = (connection.execute(f"{SELECT} WHERE run.id = ?", (number,)).fetchone() for number in latest.values())
        return [_stored(database, row) for row in rows]


def has_commits(database: Path, prefix: str) -> bool:
    """Whether the history has a commit whose hash begins so."""
    with reading(database) as connection:
        return connection.execute(f"SELECT 1 FROM session WHERE {_LIKE}", _range(prefix)).fetchone() is not None


_LIKE = "commit_hash >= ? AND commit_hash < ?"


def _range(prefix: str) -> tuple[str, str]:
    return prefix, f"{prefix}g"  # The first letter that is no hexadecimal digit.


def _stored(database: Path, row: sqlite3.Row | tuple[Any, ...]) -> Stored:
    number, commit, dirty, facts, name, body, symbols, outputs, meaning = row
    try:
        if body is None:
            raise ValueError("it was on a damaged page")
        run = msgspec.json.decode(unpacked(body), type=Run)
        if symbols is not None and run.firmware is not None:
            found = msgspec.json.decode(unpacked(symbols), type=list[SymbolFigures])
            run = replace(run, firmware=replace(run.firmware, symbols=found))
        if outputs is not None:
            run = replace(run, outputs=msgspec.json.decode(unpacked(outputs), type=dict[str, str]))
        if meaning is not None:
            run = replace(run, meaning=msgspec.json.decode(unpacked(meaning), type=MeaningFigures))
    except (ValueError, zlib.error) as error:
        raise HilError(f"{database}: {name} of session @{number} cannot be read: {error}; measure it again") from error
    return Stored(number, commit, bool(dirty), json.loads(facts).get("toolchain", {}), run)

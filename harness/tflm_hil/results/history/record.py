"""A session goes into the history: at once, or, if the database cannot be written now, with a later session."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import msgspec
from msgspec.structs import replace

from tflm_hil.errors import HilError
from tflm_hil.results.history.damage import rebuild
from tflm_hil.results.history.database import PATIENCE_S, DamagedError, locked, writing
from tflm_hil.results.history.rows import RunRow, add_run, add_session, canonical, digest, packed
from tflm_hil.results.metrics import METRICS, Metric
from tflm_hil.results.model import Results, Run, load, save

PENDING = "history.pending"
"""The folder beside the database with the results of sessions that are not in it yet."""


def record(database: Path, results: Results, patience_s: float = PATIENCE_S) -> list[str]:
    """Add the runs of this session, and those that wait. Return what people must know, a line each.

    Nothing that happens to the database is an error of the session.
    """
    mine = measured_now(results)
    lines: list[str] = []
    if mine.runs:
        try:
            update(database, lambda connection: add(connection, mine), lines, patience_s)
        except (HilError, OSError) as error:
            lines.append(_kept(database, mine, error))
    return lines


def update(
    database: Path, write: Callable[[sqlite3.Connection], int], lines: list[str], patience_s: float = PATIENCE_S
) -> int:
    """Return what `write` returns, called in a transaction that also takes in the sessions that wait.

    If the database is damaged it is rebuilt, and `write` is called again. What people must know goes to `lines`.

    Raises:
        HilError: the database cannot be written, or not be rebuilt.
        OSError: files beside it cannot be written.
    """
    with locked(database, patience_s):
        waiting = dict(_waiting(database, lines))
        try:
            written = _written(database, write, waiting.values(), patience_s)
        except DamagedError as error:
            lines.append(f"hil: warning: {rebuild(database, error.reason)}")
            written = _written(database, write, waiting.values(), patience_s)
        for file in waiting:
            file.unlink()
        return written


def measured_now(results: Results) -> Results:
    """Only the runs of which a test has ended in this session, without what no comparison needs."""
    return replace(results, runs=[_trimmed(run) for run in results.runs if run.current])


def add(connection: sqlite3.Connection, results: Results) -> int:
    """Add the runs of `results`, as `measured_now` returns them; return how many were not there."""
    git = results.git
    facts = canonical({"git": git, "host": results.host, "toolchain": results.toolchain})
    parts = [_parts(run) for run in results.runs]
    # Several sessions may begin in the same second, so it is its figures that tell it from others.
    session = digest(results.created.encode(), facts, *(content or b"" for each in parts for content in each))
    columns = (
        *(session, results.created, str(git.get("commit", "")), str(git.get("branch", ""))),
        *(bool(git.get("dirty")), str(git.get("changes", "")), facts.decode()),
    )
    number = add_session(connection, columns)
    rows = (_row(results, session, run, each) for run, each in zip(results.runs, parts, strict=True))
    return sum(add_run(connection, number, row) for row in rows)


def _written(
    database: Path, write: Callable[[sqlite3.Connection], int], waiting: Iterable[Results], patience_s: float
) -> int:
    with writing(database, patience_s) as connection:
        for results in waiting:
            add(connection, results)
        return write(connection)


def _waiting(database: Path, lines: list[str]) -> Iterator[tuple[Path, Results]]:
    for file in sorted(database.with_name(PENDING).glob("*.json")):
        try:
            yield file, load(file)
        except HilError as error:
            lines.append(f"hil: warning: {error}; it is not in the history")


def _kept(database: Path, mine: Results, error: Exception) -> str:
    """Keep the results for the next session that can write the database."""
    content = msgspec.json.encode(mine)
    file = database.with_name(PENDING) / f"{digest(content).hex()[:16]}.json"
    with suppress(HilError):
        save(mine, file)
        return f"hil: warning: {error}; this session waits in {file} for the next one that can write the history"
    return f"hil: warning: {error}; this session is not in the history"


def _trimmed(run: Run) -> Run:
    """Of its tests only that one has ended, which is what makes it one of this session."""
    ended = [replace(case, measured=[], log="", reason=None) for case in run.tests if case.this_session]
    return replace(run, tests=ended, differences=[], comparison=None)


def _parts(run: Run) -> tuple[bytes | None, ...]:
    """As in PARTS: what most runs have in common with an earlier one is apart from what none has."""
    firmware = run.firmware
    body = replace(run, tests=[], outputs={}, meaning=None, firmware=firmware and replace(firmware, symbols=[]))
    apart = (firmware.symbols if firmware else None, run.outputs or None, run.meaning)
    return _packed(body), *(None if part is None else _packed(part) for part in apart)


def _packed(part: object) -> bytes:
    return packed(msgspec.json.encode(part, order="sorted"))


def _row(results: Results, session: bytes, run: Run, parts: tuple[bytes | None, ...]) -> RunRow:
    name = digest(session, *(part or b"" for part in parts))
    figures = {
        (metric.name, metric.unit_in(run)): value
        for metric in METRICS
        if (value := metric.of(run)) is not None and comparable(metric, run, not results.gaps)
    }
    return RunRow((name, run.name, *run.identity, run.verdict, results.created), parts, figures)


def comparable(metric: Metric, run: Run, whole: bool) -> bool:
    """Whether the figure is of this session, and one that depends on what was streamed of all windows."""
    return metric.group not in run.stale and not (metric.by_windows and (run.not_run or not whole))

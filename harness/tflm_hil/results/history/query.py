"""What a history tells: its sessions, and how a figure went. It reads columns only, so it is quick.

Nothing here needs the results model, which takes longer to import than all of it takes to run.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from tflm_hil.errors import HilError
from tflm_hil.results.history.database import reading

TREND_POINTS = 30
"""So many states of the sources are in the trend of a report."""


@dataclass(frozen=True)
class SessionLine:
    """A session by its `number`: when it was, of which sources, and how many runs have which verdict."""

    number: int
    created: str
    commit: str
    branch: str
    dirty: bool
    verdicts: dict[str, int]
    runs: list[str]


class Point(NamedTuple):
    """A figure of one state of the sources, as it was measured last: in the session of this number."""

    session: int
    created: str
    commit: str
    branch: str
    dirty: bool
    verdict: str
    value: float


@dataclass(frozen=True)
class Series:
    """How a figure of a run went: `identity` is model, variant, engine, target and place; the oldest point is first."""

    name: str
    identity: tuple[str, ...]
    unit: str
    points: list[Point]

    @property
    def label(self) -> str:
        """The name of the run, and where it ran if the name does not tell it."""
        return f"{self.name} ({self.identity[-1]})" if self.identity[-1] == "hardware" else self.name


def sessions(database: Path, limit: int, branch: str | None = None) -> list[SessionLine]:
    """The last `limit` sessions, of one branch if it is named, the newest first. Raises HilError as `reading`."""
    where, arguments = ("WHERE branch = ?", [branch]) if branch is not None else ("", [])
    with reading(database) as connection:
        found = connection.execute(
            f"SELECT id, created, commit_hash, branch, dirty FROM session {where}"
            " ORDER BY created DESC, id DESC LIMIT ?",
            [*arguments, limit],
        ).fetchall()
        return [_session(connection, *row) for row in found]


def _session(
    connection: sqlite3.Connection, number: int, created: str, commit: str, branch: str, dirty: int
) -> SessionLine:
    verdicts: dict[str, int] = {}
    runs = connection.execute("SELECT name, verdict FROM run WHERE session = ? ORDER BY name", (number,)).fetchall()
    for _, verdict in runs:
        verdicts[verdict] = verdicts.get(verdict, 0) + 1
    return SessionLine(number, created, commit, branch, bool(dirty), verdicts, [name for name, _ in runs])


def series(database: Path, metric: str, run: str | None = None, branch: str | None = None) -> list[Series]:
    """How `metric` went in each run that measured it, or in those that are called `run`, on one branch if it is named.

    Raises:
        HilError: nothing of that name is in the history; the message says what is. And as `reading`.
    """
    with reading(database) as connection:
        known = [name for (name,) in connection.execute("SELECT DISTINCT name FROM metric ORDER BY name")]
        if metric not in known:
            raise HilError(f"{metric}: no such figure in the history; there are {', '.join(known) or 'none yet'}")
        found = _series(connection, metric, {"run.name": run, "branch": branch})
        if not found:
            runs = [name for (name,) in connection.execute("SELECT DISTINCT name FROM run ORDER BY name")]
            asked = f"--run={run}" if run is not None and run not in runs else f"--branch={branch}"
            raise HilError(f"{asked}: no {metric} of it in the history; its runs are {', '.join(runs)}")
        return found


def trend(database: Path, identity: Sequence[str], metric: str, limit: int = TREND_POINTS) -> list[Point]:
    """The last `limit` points of `metric` in the run of this identity, in the unit that it was measured in last.

    Empty if there is no history, or nothing of the kind is in it. Raises HilError as `reading`.
    """
    if not database.is_file():
        return []
    with reading(database) as connection:
        wanted = dict(zip(("model", "variant", "engine", "target", "place"), identity, strict=True))
        found = _series(connection, metric, wanted)
    latest = max((each.points for each in found), key=lambda points: points[-1].created, default=[])
    return latest[-limit:]


def _series(connection: sqlite3.Connection, metric: str, wanted: Mapping[str, str | None]) -> list[Series]:
    asked = {column: value for column, value in wanted.items() if value is not None}
    rows = connection.execute(
        "SELECT model, variant, engine, target, place, unit, run.name, changes,"
        " session.id, created, commit_hash, branch, dirty, verdict, value"
        " FROM metric JOIN figure ON figure.metric = metric.id JOIN run ON run.id = figure.run"
        " JOIN session ON session.id = run.session"
        f" WHERE metric.name = ? {''.join(f' AND {column} = ?' for column in asked)}"
        " ORDER BY created, session.id",
        [metric, *asked.values()],
    )
    found: dict[tuple[str, ...], dict[tuple[str, str], Point]] = {}
    names = {}
    for *identity, unit, name, changes, number, created, commit, origin, dirty, verdict, value in rows:
        key = (*identity, unit)
        names[key] = name
        points = found.setdefault(key, {})
        # Sources that nobody knows are never the same.
        sources = (commit or f"session {number}", changes)
        points.pop(sources, None)  # The last measurement counts, and its place.
        points[sources] = Point(number, created, commit, origin, bool(dirty), verdict, value)
    return [
        Series(names[key], key[:-1], key[-1], list(points.values())) for key, points in sorted(found.items()) if points
    ]

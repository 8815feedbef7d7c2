"""What a history tells: its sessions, and how a figure went. It reads columns only, so it is quick.

Nothing here needs the results model, which takes longer to import than all of it takes to run.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
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
    """The last `limit` sessions, of one branch if it is named, the newest first.

    Raises HilError if there is none, and as `reading`.
    """
    where, arguments = ("WHERE branch = ?", [branch]) if branch is not None else ("", [])
    with reading(database) as connection:
        found = connection.execute(
            f"SELECT id, created, commit_hash, branch, dirty FROM session {where}"
            " ORDER BY created DESC, id DESC LIMIT ?",
            [*arguments, limit],
        ).fetchall()
        if not found:
            raise HilError(f"--branch={branch}: no session of it in the history" if branch else f"{database}: is empty")
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


def trends(
    database: Path, identities: Iterable[Sequence[str]], limit: int = TREND_POINTS
) -> dict[tuple[str, ...], dict[str, list[Point]]]:
    """The last `limit` points of each figure of the runs of these identities, in the unit that it was measured in last.

    Empty if there is no history. Raises HilError as `reading`.
    """
    if not database.is_file():
        return {}
    with reading(database) as connection:
        return {tuple(identity): _trends(connection, identity, limit) for identity in identities}


def _trends(connection: sqlite3.Connection, identity: Sequence[str], limit: int) -> dict[str, list[Point]]:
    found: dict[str, dict[tuple[str, str], Point]] = {}
    units: dict[str, str] = {}
    rows = connection.execute(_LATEST, [*identity, _MEASUREMENTS * limit])
    for name, unit, changes, *point in rows:  # The newest comes first.
        if units.setdefault(name, unit) == unit:
            found.setdefault(name, {}).setdefault(_sources(point[2], changes, point[0]), _point(*point))
    return {name: list(points.values())[:limit][::-1] for name, points in found.items()}


_MEASUREMENTS = 3
"""So often may a state of the sources have been measured, on average."""

_LATEST = """
SELECT metric.name, unit, changes, session.id, latest.created, commit_hash, branch, dirty, verdict, value
FROM (
    SELECT id, session, created, verdict FROM run
    WHERE model = ? AND variant = ? AND engine = ? AND target = ? AND place = ?
    ORDER BY created DESC, id DESC LIMIT ?
) AS latest
CROSS JOIN session ON session.id = latest.session
CROSS JOIN metric JOIN figure ON figure.metric = metric.id AND figure.run = latest.id
ORDER BY latest.created DESC, latest.id DESC
"""


def _series(connection: sqlite3.Connection, metric: str, wanted: Mapping[str, str | None]) -> list[Series]:
    asked = {column: value for column, value in wanted.items() if value is not None}
    rows = connection.execute(
        "SELECT model, variant, engine, target, place, unit, run.name, changes,"
        " session.id, session.created, commit_hash, branch, dirty, verdict, value"
        " FROM metric JOIN figure ON figure.metric = metric.id JOIN run ON run.id = figure.run"
        " JOIN session ON session.id = run.session"
        f" WHERE metric.name = ? {''.join(f' AND {column} = ?' for column in asked)}"
        " ORDER BY session.created, session.id",
        [metric, *asked.values()],
    )
    found: dict[tuple[str, ...], dict[tuple[str, str], Point]] = {}
    names = {}
    for *identity, unit, name, changes, number, created, commit, origin, dirty, verdict, value in rows:
        key = (*identity, unit)
        names[key] = name
        points = found.setdefault(key, {})
        sources = _sources(commit, changes, number)
        points.pop(sources, None)  # The last measurement counts, and its place.
        points[sources] = _point(number, created, commit, origin, dirty, verdict, value)
    return [
        Series(names[key], key[:-1], key[-1], list(points.values())) for key, points in sorted(found.items()) if points
    ]


def _sources(commit: str, changes: str, session: int) -> tuple[str, str]:
    """What is the same for two measurements of one state of the sources; states that nobody knows are different."""
    return commit or f"session {session}", changes


def _point(session: int, created: str, commit: str, branch: str, dirty: int, verdict: str, value: float) -> Point:
    return Point(session, created, commit, branch, bool(dirty), verdict, value)

"""The tables: a database of any version that was ever released opens, and one that is not ours is left alone."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from support.made_history import ask, history, session
from tflm_hil.errors import HilError
from tflm_hil.results.history import query
from tflm_hil.results.history.record import record
from tflm_hil.results.history.schema import MIGRATIONS, SchemaError, migrate, version

# What version 1 wrote, as it is in the field. It must never change: a change of the tables is a migration.
FIXTURE_1 = """
PRAGMA application_id = 1751739441;
PRAGMA user_version = 1;
CREATE TABLE session (id INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, created TEXT NOT NULL,
    commit_hash TEXT NOT NULL, branch TEXT NOT NULL, dirty INTEGER NOT NULL, changes TEXT NOT NULL,
    facts TEXT NOT NULL);
CREATE INDEX session_created ON session (created);
CREATE INDEX session_commit ON session (commit_hash);
CREATE TABLE part (id INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, content BLOB NOT NULL);
CREATE TABLE run (id INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, session INTEGER NOT NULL REFERENCES session,
    name TEXT NOT NULL, model TEXT NOT NULL, variant TEXT NOT NULL, engine TEXT NOT NULL, target TEXT NOT NULL,
    place TEXT NOT NULL, verdict TEXT NOT NULL, created TEXT NOT NULL, body INTEGER REFERENCES part,
    symbols INTEGER REFERENCES part, outputs INTEGER REFERENCES part, meaning INTEGER REFERENCES part);
CREATE INDEX run_session ON run (session);
CREATE INDEX run_identity ON run (model, variant, engine, target, place, created);
CREATE TABLE metric (id INTEGER PRIMARY KEY, name TEXT NOT NULL, unit TEXT NOT NULL, UNIQUE (name, unit));
CREATE TABLE figure (metric INTEGER NOT NULL REFERENCES metric, run INTEGER NOT NULL REFERENCES run, value NOT NULL,
    PRIMARY KEY (metric, run)) WITHOUT ROWID;
INSERT INTO session VALUES (1, x'01', '2025-12-01T00:00:00+00:00', 'c0ffee', 'main', 0, '', '{}');
INSERT INTO run VALUES (1, x'02', 1, 'gesture-int8-aot-stm32f4', 'gesture', 'int8', 'aot', 'stm32f4', 'qemu', 'pass',
    '2025-12-01T00:00:00+00:00', NULL, NULL, NULL, NULL);
INSERT INTO metric VALUES (1, 'latency.median', 'instructions');
INSERT INTO figure VALUES (1, 1, 12345);
"""


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(tmp_path / "x.sqlite", isolation_level=None)) as opened:
        yield opened


def test_a_database_of_version_1_is_read_and_goes_on(tmp_path: Path) -> None:
    database = tmp_path / "history.sqlite"
    with closing(sqlite3.connect(database)) as connection:
        connection.executescript(FIXTURE_1)
    (series,) = query.series(database, "latency.median")
    assert [(point.commit, point.value) for point in series.points] == [("c0ffee", 12345)]
    assert record(database, session(1)) == []
    (series,) = query.series(database, "latency.median")
    assert [point.value for point in series.points] == [12345, 13_001]


def test_the_newest_schema_is_the_same_whether_it_was_made_or_migrated(
    tmp_path: Path, connection: sqlite3.Connection
) -> None:
    schema = "SELECT name FROM sqlite_schema ORDER BY name"
    migrate(connection)
    with closing(sqlite3.connect(tmp_path / "old.sqlite", isolation_level=None)) as old:
        old.executescript(FIXTURE_1)
        migrate(old)
        assert old.execute(schema).fetchall() == connection.execute(schema).fetchall()


def test_a_migration_is_made_once_and_keeps_what_is_there(connection: sqlite3.Connection) -> None:
    steps = (*MIGRATIONS, "ALTER TABLE session ADD COLUMN note TEXT NOT NULL DEFAULT 'none'")
    connection.executescript(FIXTURE_1)
    for _ in range(2):
        migrate(connection, steps)
        assert version(connection, len(steps)) == len(MIGRATIONS) + 1
    assert connection.execute("SELECT commit_hash, note FROM session").fetchall() == [("c0ffee", "none")]


def test_a_migration_that_fails_changes_nothing(connection: sqlite3.Connection) -> None:
    connection.executescript(FIXTURE_1)
    with pytest.raises(sqlite3.OperationalError):
        migrate(connection, (*MIGRATIONS, "DROP TABLE figure; SELECT * FROM nothing"))
    assert version(connection) == 1
    assert connection.execute("SELECT value FROM figure").fetchall() == [(12345,)]


def test_a_newer_schema_is_refused_and_stays(tmp_path: Path) -> None:
    database = history(tmp_path, 1)
    ask(database, "PRAGMA user_version = 2")
    with pytest.raises(HilError, match=r"it has schema 2, and this version of tflm-hil knows those up to 1; update"):
        query.sessions(database, 1)
    assert ask(database, "PRAGMA user_version") == [2]


def test_the_database_of_another_program_is_refused(connection: sqlite3.Connection) -> None:
    connection.execute("CREATE TABLE bookmarks (url)")
    with pytest.raises(SchemaError, match="another program"):
        migrate(connection)
    assert connection.execute("SELECT count(*) FROM sqlite_schema").fetchone() == (1,)

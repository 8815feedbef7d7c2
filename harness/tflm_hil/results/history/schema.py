"""The tables of a history, and how an older database gets those of today.

A `session` has a `run` for each network, engine, target and place that it measured. The `figure`s of a run are what
trends are made of; its `part`s, JSON compressed with zlib, are the whole run as comparisons need it. A part is stored
once, however many runs have it, so a run whose image did not change adds about a kilobyte. Digests are SHA-256, and
say what is the same across databases.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

APPLICATION_ID = 0x68696C31
"""In the header of the file, where `file` and we can see whose database it is."""

VERSION_1 = f"""
PRAGMA application_id = {APPLICATION_ID};
CREATE TABLE session (
    id INTEGER PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE,
    created TEXT NOT NULL,
    commit_hash TEXT NOT NULL,
    branch TEXT NOT NULL,
    dirty INTEGER NOT NULL,
    changes TEXT NOT NULL,
    facts TEXT NOT NULL
);
CREATE INDEX session_created ON session (created);
CREATE INDEX session_commit ON session (commit_hash);
CREATE TABLE part (
    id INTEGER PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE,
    content BLOB NOT NULL
);
CREATE TABLE run (
    id INTEGER PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE,
    session INTEGER NOT NULL REFERENCES session,
    name TEXT NOT NULL,
    model TEXT NOT NULL,
    variant TEXT NOT NULL,
    engine TEXT NOT NULL,
    target TEXT NOT NULL,
    place TEXT NOT NULL,
    verdict TEXT NOT NULL,
    created TEXT NOT NULL,
    body INTEGER REFERENCES part,
    symbols INTEGER REFERENCES part,
    outputs INTEGER REFERENCES part,
    meaning INTEGER REFERENCES part
);
CREATE INDEX run_session ON run (session);
CREATE INDEX run_identity ON run (model, variant, engine, target, place, created);
CREATE TABLE metric (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    unit TEXT NOT NULL,
    UNIQUE (name, unit)
);
CREATE TABLE figure (
    metric INTEGER NOT NULL REFERENCES metric,
    run INTEGER NOT NULL REFERENCES run,
    value NOT NULL,
    PRIMARY KEY (metric, run)
) WITHOUT ROWID;
"""

MIGRATIONS = (VERSION_1,)
"""Each makes the version of its number of the one before. A change of the tables is one more, and changes no other."""


class SchemaError(Exception):
    """The database is of a later version of tflm-hil, or of another program."""


def version(connection: sqlite3.Connection, newest: int = len(MIGRATIONS)) -> int:
    """The version of the schema, 0 of an empty database.

    Raises SchemaError if it is above `newest`, or if the database is something else's.
    """
    (found,) = connection.execute("PRAGMA user_version").fetchone()
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if application != APPLICATION_ID and (tables or found):
        raise SchemaError("it is the database of another program; move it away")
    if found > newest:
        raise SchemaError(
            f"it has schema {found}, and this version of tflm-hil knows those up to {newest}; update tflm-hil"
        )
    return int(found)


def migrate(connection: sqlite3.Connection, steps: Sequence[str] = MIGRATIONS) -> None:
    """Bring the database to the newest schema, in one transaction; `connection` is in autocommit mode.

    Raises as `version`.
    """
    if version(connection, len(steps)) == len(steps):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        for number in range(version(connection, len(steps)), len(steps)):  # Another process may have been faster.
            for statement in steps[number].split(";"):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number + 1}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise

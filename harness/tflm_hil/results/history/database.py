"""A history is opened, and what SQLite says of it is told in one line.

Writing is safe against power cuts: a transaction in WAL mode with `synchronous=FULL` is on the disk when it ends (with
NORMAL, SQLite's usual choice for WAL, the last ones may be lost). A session writes once, so that costs one flush.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from filelock import FileLock, Timeout

from tflm_hil.errors import HilError
from tflm_hil.results.history.schema import MIGRATIONS, SchemaError, migrate, version

PATIENCE_S = 10.0
"""How long a locked database is waited for."""

_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_PRIMARY = 0xFF


class UnavailableError(HilError):
    """The database is sound as far as is known, but cannot be written or read now."""


class DamagedError(HilError):
    """The file is no database, or a damaged one; `reason` says what SQLite found."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"{path}: {reason}; `hil merge {path}` keeps it aside and makes a new one of what can be read, and so does "
            "the next session"
        )
        self.reason = reason


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """Open the database for reading, one on a read-only disk as well.

    One of an earlier version is brought to this one's.

    Raises:
        DamagedError: it is damaged.
        HilError: there is none, or it cannot be read.
    """
    if not path.is_file():
        raise HilError(f"{path}: there is no history yet; a session such as `pytest --board=emulated` begins it")
    with _told(path):
        with closing(_read_only(path)) as connection:
            found = version(connection)
        if found < len(MIGRATIONS):
            with locked(path), writing(path):
                pass
        with closing(_read_only(path)) as connection:
            yield connection


def _read_only(path: Path) -> sqlite3.Connection:
    name = f"file:{quote(str(path))}?mode=ro"
    connection = sqlite3.connect(name, uri=True, timeout=PATIENCE_S, isolation_level=None)
    try:
        connection.execute("SELECT 1 FROM sqlite_schema")
    except sqlite3.OperationalError as error:
        if _code(error) not in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY):
            connection.close()
            raise
        # WAL needs a file beside the database, unless nobody can write to it.
        connection.close()
        connection = sqlite3.connect(f"{name}&immutable=1", uri=True, isolation_level=None)
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def locked(path: Path, patience_s: float = PATIENCE_S) -> Iterator[None]:
    """Be the only writer of the database, so that it can be replaced as well.

    Raises:
        UnavailableError: another process writes for longer than `patience_s`, or the folder cannot be written to.
    """
    lock = FileLock(f"{path}.lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=patience_s)
    except Timeout:
        raise UnavailableError(f"{path}: another process has held it for {patience_s:g} s") from None
    except OSError as error:
        raise UnavailableError(f"{path}: {error.strerror}") from error
    try:
        yield
    finally:
        lock.release()


@contextmanager
def writing(path: Path, patience_s: float = PATIENCE_S) -> Iterator[sqlite3.Connection]:
    """Open the database and write to it in one transaction, which is undone if an exception comes. Hold `locked`.

    Raises:
        DamagedError: it is damaged.
        UnavailableError: another program holds it for longer than `patience_s`, it is of a newer version, or the disk
            is full or read-only.
    """
    with (
        _told(path),
        closing(sqlite3.connect(path, timeout=patience_s, isolation_level=None)) as connection,
    ):
        _prepare(connection)
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def _prepare(connection: sqlite3.Connection) -> None:
    version(connection)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    migrate(connection)
    # A damaged page is found before more is written beside it: later, it may be in every copy.
    (sound,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if sound != "ok":
        raise sqlite3.DatabaseError(sound)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except SchemaError as error:
        raise UnavailableError(f"{path}: {error}") from None
    except sqlite3.Error as error:
        code = _code(error)
        if code in _BUSY:
            raise UnavailableError(f"{path}: another program has held it for {PATIENCE_S:g} s") from error
        if code in _DAMAGE or not code:  # What Python finds by itself, such as text that is none, has no code.
            raise DamagedError(path, str(error)) from error
        raise UnavailableError(f"{path}: {error}") from error


def _code(error: sqlite3.Error) -> int:
    """The primary result code, 0 if it is not SQLite's own error."""
    return getattr(error, "sqlite_errorcode", 0) & _PRIMARY

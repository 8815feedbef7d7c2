"""A damaged history: kept aside, told in one line, and what can be read of it goes on."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.made_history import ask, session
from tflm_hil.errors import HilError
from tflm_hil.results.groups import FirmwareFigures, SymbolFigures
from tflm_hil.results.history import query
from tflm_hil.results.history.database import writing
from tflm_hil.results.history.record import add, measured_now, record

PAGE = 4096
SESSIONS = 60


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A history with images that are all different, so that it has some pages."""
    database = tmp_path_factory.mktemp("history") / "history.sqlite"
    with writing(database) as connection:
        for number in range(SESSIONS):
            symbols = [SymbolFigures(f"symbol_{number}_{index}", ".text", number * index) for index in range(40)]
            firmware = FirmwareFigures("", 1, 1, 1, 1, 1, {}, symbols)
            add(connection, measured_now(session(number, firmware=firmware)))
    return database.read_bytes()


def truncated(content: bytes) -> bytes:
    return content[: len(content) * 3 // 4 // PAGE * PAGE]


def cut_within_a_page(content: bytes) -> bytes:
    return content[: len(content) * 3 // 4 + 100]


def garbage_in_the_header(content: bytes) -> bytes:
    return b"\xa5" * 100 + content[100:]


def text(_: bytes) -> bytes:
    return b"this is no database\n" * 300


def first_page_overwritten(content: bytes) -> bytes:
    return b"\xa5" * PAGE + content[PAGE:]


def page_in_the_middle_overwritten(content: bytes) -> bytes:
    middle = len(content) // 2 // PAGE * PAGE
    return content[:middle] + b"\xa5" * PAGE + content[middle + PAGE :]


@pytest.mark.parametrize(
    ("damage", "least"),
    [
        (truncated, 20),
        (cut_within_a_page, 20),
        (page_in_the_middle_overwritten, 50),
        (garbage_in_the_header, 0),
        (first_page_overwritten, 0),
        (text, 0),
    ],
)
def test_it_is_kept_aside_and_rebuilt(
    tmp_path: Path, sound: bytes, damage: Callable[[bytes], bytes], least: int
) -> None:
    database, damaged = tmp_path / "history.sqlite", damage(sound)
    database.write_bytes(damaged)
    (line,) = record(database, session(SESSIONS))
    assert line.startswith(f"hil: warning: {database} was damaged (")
    assert "it is kept as history.sqlite.corrupt-1, and a new one has all that could be read, " in line
    assert (tmp_path / "history.sqlite.corrupt-1").read_bytes() == damaged
    (runs,) = ask(database, "SELECT count(*) FROM run")
    assert least < runs <= SESSIONS + 1
    assert f" {runs - 1} runs" in line
    assert ask(database, "PRAGMA integrity_check") == ["ok"]
    assert record(database, session(SESSIONS + 1)) == []
    assert {path.name for path in tmp_path.iterdir()} == {
        "history.sqlite",
        "history.sqlite.lock",
        "history.sqlite.corrupt-1",
    }


def test_each_damaged_one_is_kept(tmp_path: Path) -> None:
    database = tmp_path / "history.sqlite"
    for number in (1, 2):
        database.write_text(f"no database {number}" * 99)
        assert f"history.sqlite.corrupt-{number}" in record(database, session(number))[0]
    assert (tmp_path / "history.sqlite.corrupt-1").read_text().startswith("no database 1")


def test_what_is_still_in_the_log_of_the_damaged_one_is_not_taken_for_the_new_one_s(
    tmp_path: Path, sound: bytes
) -> None:
    """While somebody reads a database, SQLite leaves what is written to it in a log beside it."""
    database = tmp_path / "history.sqlite"
    database.write_bytes(sound)
    with closing(sqlite3.connect(database)) as reader:
        reader.execute("SELECT count(*) FROM run").fetchone()
        assert record(database, session(SESSIONS)) == []
        assert (tmp_path / "history.sqlite-wal").stat().st_size
        with database.open("r+b") as file:
            file.seek(len(sound) // 2 // PAGE * PAGE)
            file.write(b"\xa5" * PAGE)
        assert "corrupt-1" in record(database, session(SESSIONS + 1))[0]
    assert (tmp_path / "history.sqlite.corrupt-1-wal").exists()
    assert ask(database, "PRAGMA integrity_check") == ["ok"]
    commits = ask(database, "SELECT commit_hash FROM session")
    assert {f"{SESSIONS:040x}", f"{SESSIONS + 1:040x}"} <= set(commits)


def test_a_damaged_part_takes_no_figure_with_it(tmp_path: Path, sound: bytes) -> None:
    """Many runs share a part, such as the symbols of an image that did not change."""
    database = tmp_path / "history.sqlite"
    database.write_bytes(sound)
    ask(database, "UPDATE part SET content = zeroblob(9) WHERE id = (SELECT symbols FROM run WHERE id = 2)")
    content = database.read_bytes()
    database.write_bytes(content[:-PAGE])  # something that is found
    assert "corrupt-1" in record(database, session(SESSIONS))[0]
    lacking = "SELECT commit_hash FROM run JOIN session ON session = session.id WHERE symbols IS NULL ORDER BY 1"
    assert ask(database, lacking)[0] == f"{1:040x}"
    assert 13_001 in ask(database, "SELECT value FROM figure JOIN metric ON metric = id WHERE name = 'latency.median'")


def test_whoever_reads_a_damaged_one_is_told_what_mends_it(tmp_path: Path) -> None:
    database = tmp_path / "history.sqlite"
    database.write_text("no database" * 999)
    with pytest.raises(HilError, match=r"file is not a database; .*hil merge .*history.sqlite. keeps it aside"):
        query.sessions(database, 10)
    assert database.read_text().startswith("no database")


@given(data=st.data())
@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_overwritten_the_session_is_recorded(
    tmp_path_factory: pytest.TempPathFactory, sound: bytes, data: st.DataObject
) -> None:
    """Nothing that is done to the file raises, and the database is sound afterwards."""
    content = bytearray(sound)
    for _ in range(data.draw(st.integers(1, 3))):
        begin = data.draw(st.integers(0, len(content) - 1))
        size = data.draw(st.sampled_from([1, 16, 512, PAGE, 3 * PAGE]))
        content[begin : begin + size] = data.draw(st.sampled_from([b"\0", b"\xff", b"\xa5"])) * size
    database = tmp_path_factory.mktemp("history") / "history.sqlite"
    database.write_bytes(content[: data.draw(st.sampled_from([len(content), len(content) - PAGE, len(content) // 3]))])
    lines = record(database, session(SESSIONS))
    assert all("is not in the history" not in line and "waits" not in line for line in lines)
    assert f"{SESSIONS:040x}" in ask(database, "SELECT commit_hash FROM session")

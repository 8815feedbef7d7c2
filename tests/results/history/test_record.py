"""Sessions go into the history, once each, whatever happens to the database and whoever else writes."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace
from support.made_history import ask, history, session
from support.made_results import COMMIT, compared, results, run, slower
from tflm_hil.checks.latency import Latency
from tflm_hil.results.groups import FirmwareFigures, MeaningFigures, SymbolFigures
from tflm_hil.results.history import query
from tflm_hil.results.history.database import locked, writing
from tflm_hil.results.history.record import record
from tflm_hil.results.history.rows import unpacked
from tflm_hil.results.history.stored import runs_of_session

TESTS = Path(__file__).parents[2]


def test_a_session_is_recorded_with_its_sources_and_its_figures(tmp_path: Path) -> None:
    database = tmp_path / ".hil" / "history.sqlite"
    assert record(database, session(1)) == []
    (line,) = query.sessions(database, 10)
    assert (line.commit, line.branch, line.dirty) == (f"{1:040x}", "main", False)
    assert (line.verdicts, line.runs) == ({"pass": 1}, ["gesture-int8-aot-stm32f4"])
    (series,) = query.series(database, "latency.median")
    assert (series.unit, [point.value for point in series.points]) == ("instructions", [13_001])
    (accuracy,) = query.series(database, "parity.accuracy_device")
    assert (accuracy.unit, accuracy.points[0].value) == ("", 1.0)


def test_the_same_session_is_recorded_once(tmp_path: Path) -> None:
    database = history(tmp_path, 2)
    assert record(database, session(1)) == []
    assert ask(database, "SELECT count(*) FROM run") == [2]
    assert ask(database, "SELECT count(*) FROM session") == [2]


def test_only_runs_of_this_session_are_recorded(tmp_path: Path) -> None:
    """Those of earlier sessions stay in results.json, and are in the history already."""
    database = tmp_path / "history.sqlite"
    old = run("old")
    old.tests[0].this_session = False
    record(database, results(run("new"), old))
    assert ask(database, "SELECT model FROM run") == ["new"]
    record(database, results(old))
    assert ask(database, "SELECT count(*) FROM session") == [1]


@pytest.mark.parametrize(("not_run", "gaps"), [(["test_x"], []), ([], ["test_x.py could not be collected"])])
def test_figures_of_some_of_the_windows_are_not_in_trends(tmp_path: Path, not_run: list[str], gaps: list[str]) -> None:
    """The median of one recording says nothing about that of all; the size of the image is what it is."""
    database = tmp_path / "history.sqlite"
    record(database, results(run(verdict="incomplete", not_run=not_run), gaps=gaps))
    names = ask(database, "SELECT DISTINCT name FROM metric")
    assert "firmware.flash_bytes" in names
    assert "latency.median" not in names


def test_figures_of_other_sources_are_not_in_trends(tmp_path: Path) -> None:
    database = tmp_path / "history.sqlite"
    record(database, results(run(stale=["firmware"])))
    names = ask(database, "SELECT DISTINCT name FROM metric")
    assert "latency.median" in names
    assert "firmware.flash_bytes" not in names


def test_what_did_not_change_is_stored_once(tmp_path: Path) -> None:
    symbols = [SymbolFigures(f"symbol_{number}", ".text", number, "a.c") for number in range(200)]
    firmware = FirmwareFigures("", 1, 1, 1, 1, 1, {}, symbols)
    database = tmp_path / "history.sqlite"
    record(database, session(0, firmware=firmware))
    (before,) = ask(database, "SELECT sum(length(content)) FROM part")
    for number in range(1, 11):
        record(database, session(number, firmware=firmware))
    (after,) = ask(database, "SELECT sum(length(content)) FROM part")
    assert len(ask(database, "SELECT DISTINCT symbols FROM run")) == 1
    assert (after - before) / 10 < before / 2


def test_what_no_comparison_needs_is_not_stored(tmp_path: Path) -> None:
    database = tmp_path / "history.sqlite"
    made = run(comparison=compared(slower()))
    made.tests[0].log = "what the device logged"
    made.tests[0].measured = [{"latency": [[1, 2]]}]
    record(database, results(made))
    (body,) = ask(database, "SELECT content FROM part JOIN run ON run.body = part.id")
    content = msgspec.json.decode(unpacked(body))
    assert content["tests"] == []
    assert content["comparison"] is None


def test_a_run_comes_back_as_it_was_but_for_what_no_comparison_needs(tmp_path: Path) -> None:
    symbols = [SymbolFigures("table", ".rodata", 9, "a.o")]
    firmware = FirmwareFigures("ab", 1, 2, 3, 4, 5, {".text": 6}, symbols, stack_peak_bytes=7)
    meaning = MeaningFigures("int8", 2, 1, inputs={"punch/001": "ab"}, truths={"punch/001": [("punch", 1)]})
    made = run(firmware=firmware, outputs={"punch/001": "00ff"}, meaning=meaning, comparison=compared(slower()))
    record(tmp_path / "history.sqlite", results(made))
    (stored,) = runs_of_session(tmp_path / "history.sqlite", 1)
    assert stored.run == replace(made, tests=[], comparison=None)
    assert (stored.commit, stored.dirty, stored.toolchain) == (COMMIT, False, {"arm-none-eabi-gcc": "12.2"})


def test_a_locked_database_is_waited_for_and_the_session_goes_in_with_the_next(tmp_path: Path) -> None:
    database = history(tmp_path, 1)
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        (line,) = record(database, session(1), patience_s=0.05)
        other.execute("ROLLBACK")
    (waiting,) = (tmp_path / "history.pending").iterdir()
    assert f"{database}: another program" in line
    assert f"this session waits in {waiting} for the next one" in line
    assert ask(database, "SELECT count(*) FROM run") == [1]
    assert record(database, session(2)) == []
    assert ask(database, "SELECT commit_hash FROM session ORDER BY created") == [f"{n:040x}" for n in range(3)]
    assert not waiting.exists()


def test_a_process_that_may_be_replacing_the_database_is_waited_for(tmp_path: Path) -> None:
    database = history(tmp_path, 1)
    with locked(database):
        (line,) = record(database, session(1), patience_s=0.05)
    assert f"{database}: another process has held it" in line
    assert record(database, session(2)) == []
    assert ask(database, "SELECT count(*) FROM run") == [3]


def test_a_session_that_waits_and_cannot_be_read_is_told_and_stays(tmp_path: Path) -> None:
    database = history(tmp_path, 1)
    waiting = tmp_path / "history.pending" / "x.json"
    waiting.parent.mkdir()
    waiting.write_text("{")
    (line,) = record(database, session(1))
    assert f"{waiting}: not a results file" in line
    assert waiting.exists()
    assert ask(database, "SELECT count(*) FROM run") == [2]


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / ".hil").write_text("a file where the folder would be")
    (line,) = record(tmp_path / ".hil" / "history.sqlite", session(1))
    assert line.endswith("this session is not in the history")


def test_a_newer_schema_is_refused_and_the_session_waits(tmp_path: Path) -> None:
    database = history(tmp_path, 1)
    ask(database, "PRAGMA user_version = 99")
    (line,) = record(database, session(1))
    assert "it has schema 99, and this version of tflm-hil knows those up to 1; update tflm-hil" in line
    assert len(list((tmp_path / "history.pending").iterdir())) == 1


WRITER = """
import sys
from pathlib import Path
from support.made_history import session
from tflm_hil.results.history.record import record
database, first, count = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
for number in range(first, first + count):
    print(number, *record(database, session(number)), flush=True)
"""


def writer(database: Path, first: int, count: int) -> subprocess.Popen[str]:
    """A process that records so many sessions, and tells each when it is recorded."""
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(database), str(first), str(count)],
        cwd=TESTS,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_several_processes_write_at_once(tmp_path: Path) -> None:
    database = tmp_path / "history.sqlite"
    writers = [writer(database, 100 * number, 10) for number in range(3)]
    told = [each.communicate()[0] for each in writers]
    assert [text.split() for text in told] == [[str(100 * n + i) for i in range(10)] for n in range(3)]
    assert ask(database, "SELECT count(*) FROM run") == [30]
    assert ask(database, "PRAGMA integrity_check") == ["ok"]


def kill_in_the_middle(database: Path, rounds: int) -> None:
    """Kill a writer after some sessions, again and again: what it said is recorded is there, and whole."""
    recorded: set[int] = set()
    for kill in range(rounds):
        process = writer(database, 1000 * kill, 1000)
        assert process.stdout is not None
        for _ in range(1 + kill % 5):
            recorded.add(int(process.stdout.readline()))
        process.kill()
        process.communicate()
        assert ask(database, "PRAGMA integrity_check") == ["ok"]
        there = {
            int(commit, 16)
            for commit in ask(database, "SELECT commit_hash FROM session JOIN run ON session = session.id")
        }
        assert recorded <= there
        assert ask(database, "SELECT count(*) FROM session") == ask(database, "SELECT count(*) FROM run")
    assert record(database, session(999_999)) == []


def test_a_process_that_is_killed_leaves_all_that_it_had_recorded(tmp_path: Path) -> None:
    kill_in_the_middle(tmp_path / "history.sqlite", 2)


@pytest.mark.nightly
def test_processes_are_killed_again_and_again(tmp_path: Path) -> None:
    """100 processes are started: a minute."""
    kill_in_the_middle(tmp_path / "history.sqlite", 100)


def test_what_is_recorded_is_on_the_disk(tmp_path: Path) -> None:
    """No test cuts the power: these are the settings of which SQLite's documentation says so."""
    with writing(tmp_path / "history.sqlite") as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL


def test_hardware_and_emulator_have_trends_of_their_own(tmp_path: Path) -> None:
    database = tmp_path / "history.sqlite"
    record(database, session(0))
    record(database, session(1, emulator=None, latency=Latency("cycles", 10, 1, 1, 1, 1)))
    assert [(each.label, each.unit) for each in query.series(database, "latency.median")] == [
        ("gesture-int8-aot-stm32f4 (hardware)", "cycles"),
        ("gesture-int8-aot-stm32f4", "instructions"),
    ]

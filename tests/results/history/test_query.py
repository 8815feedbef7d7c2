"""What a history tells: sessions, and how figures went."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from support.made_history import history, session
from support.made_results import run
from tflm_hil.checks.latency import Latency
from tflm_hil.errors import HilError
from tflm_hil.results.history import query
from tflm_hil.results.history.record import record

GESTURE = ("gesture", "int8", "aot", "stm32f4", "qemu")


def test_the_newest_sessions_come_first(tmp_path: Path) -> None:
    found = query.sessions(history(tmp_path, 5), 3)
    assert [line.commit[-1] for line in found] == ["4", "3", "2"]


def test_a_state_of_the_sources_has_one_point_the_last(tmp_path: Path) -> None:
    database = tmp_path / "history.sqlite"
    for number, commit in enumerate("aba"):
        record(database, session(number, commit=commit))
    points = query.trends(database, [GESTURE])[GESTURE]["latency.median"]
    assert [(point.commit, point.value) for point in points] == [("b", 13_001), ("a", 13_002)]
    (series,) = query.series(database, "latency.median")
    assert series.points == points


def test_a_trend_has_the_last_points_of_its_run_and_no_other(tmp_path: Path) -> None:
    database = history(tmp_path, 6)
    record(database, session(7, model="other"))
    points = query.trends(database, [GESTURE], 4)[GESTURE]["latency.median"]
    assert [point.value for point in points] == [13_002, 13_003, 13_004, 13_005]
    assert "window.max" not in query.trends(database, [GESTURE])[GESTURE]
    assert query.trends(tmp_path / "none.sqlite", [GESTURE]) == {}


def test_a_trend_is_in_the_unit_of_the_last_point(tmp_path: Path) -> None:
    database = history(tmp_path, 2)
    for number in (2, 3):
        record(database, session(number, latency=Latency("cycles", 10, 1, number, number, number)))
    assert [point.value for point in query.trends(database, [GESTURE])[GESTURE]["latency.median"]] == [2, 3]


def test_series_are_chosen_by_run_and_branch(tmp_path: Path) -> None:
    database = history(tmp_path, 2)
    record(database, session(3, model="other"))
    assert len(query.series(database, "latency.median")) == 2
    (series,) = query.series(database, "latency.median", run("other").name)
    assert [point.value for point in series.points] == [13_003]
    assert query.series(database, "latency.median", branch="main") == query.series(database, "latency.median")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("latency.mean",), "latency.mean: no such figure in the history; there are .*latency.max, latency.median"),
        (("latency.max", "x"), "--run=x: no latency.max of it in the history; its runs are gesture-int8-aot-stm32f4"),
        (("latency.max", None, "dev"), "--branch=dev: no latency.max of it"),
    ],
)
def test_what_is_not_there_is_said_with_what_is(tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    with pytest.raises(HilError, match=message):
        query.series(history(tmp_path, 1), *arguments)


def test_without_a_history_it_is_said_how_to_begin_one(tmp_path: Path) -> None:
    with pytest.raises(HilError, match="there is no history yet; a session such as `pytest --board=emulated` begins"):
        query.sessions(tmp_path / "history.sqlite", 1)


def as_nobody(act: Callable[[], None]) -> bool:
    """Whether `act` works in a process that may not write where root may; root itself may write anywhere."""
    process = os.fork()
    if process == 0:
        try:
            if os.geteuid() == 0:
                os.setuid(65534)
            act()
            os._exit(0)
        finally:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 0


def test_it_is_read_where_nothing_can_be_written(tmp_path: Path) -> None:
    """WAL wants a file beside the database even for reading."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        database = Path(shutil.copy(history(tmp_path, 2), folder / "history.sqlite"))
        folder.chmod(0o555)
        database.chmod(0o444)

        def read() -> None:
            with contextlib.suppress(OSError):
                (folder / "x").touch()
            assert not (folder / "x").exists()
            assert len(query.sessions(folder / "history.sqlite", 9)) == 2

        assert as_nobody(read)


def test_where_nothing_can_be_written_a_session_says_so(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory() as name:
        database = Path(name) / "history.sqlite"
        shutil.copy(history(tmp_path, 1), database)
        Path(name).chmod(0o555)

        def write() -> None:
            (line,) = record(database, session(1))
            assert line.startswith(f"hil: warning: {database}"), line
            assert line.endswith("this session is not in the history"), line

        assert as_nobody(write)

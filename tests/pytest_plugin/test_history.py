"""Sessions of pytest are recorded in the history of their project: once each, by the controlling process."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.fake_project import FLOAT32, INT8, FakeProject
from support.made_history import ask
from tflm_hil.results.history import place, query

SUITE = """
    from support import fake_session

    def test_parity(firmware, feed, record):
        fake_session.answer(record)

    def test_size(firmware, record):
        record.footprint(500, 300)
"""


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> FakeProject:
    monkeypatch.delenv("HIL_HISTORY")
    return FakeProject(pytester, monkeypatch, SUITE)


@pytest.fixture
def database(pytester: pytest.Pytester) -> Path:
    return place(pytester.path)


def test_each_session_is_recorded_and_the_report_shows_how_figures_went(project: FakeProject, database: Path) -> None:
    project()
    project("-k", "int8")
    latest, first = query.sessions(database, 10)
    assert (first.runs, latest.runs) == ([FLOAT32, INT8], [INT8])
    assert first.verdicts == {"pass": 2}
    figures = {each.name: [point.value for point in each.points] for each in query.series(database, "latency.median")}
    assert figures == {FLOAT32: [100], INT8: [100, 100]}
    report = (project.pytester.path / "reports" / "report.html").read_text()
    assert "latency.median over 2 states of the sources" in report


@pytest.mark.nightly  # it starts three processes
def test_workers_record_nothing_of_their_own(project: FakeProject, database: Path) -> None:
    project("-n", "2")
    (line,) = query.sessions(database, 10)
    assert line.verdicts == {"pass": 2}


@pytest.mark.parametrize(
    ("how", "variable", "ini"),
    [(["--hil-history=false"], "true", ""), ([], "false", ""), ([], "", "hil_history = false")],
)
def test_it_can_be_switched_off(project: FakeProject, database: Path, how: list[str], variable: str, ini: str) -> None:
    project.pytester.makeini(f"[pytest]\n{ini}")
    project(*how, HIL_HISTORY=variable)
    assert project.verdicts == {FLOAT32: "pass", INT8: "pass"}
    assert not database.exists()


def test_a_wrong_value_is_a_usage_error(project: FakeProject) -> None:
    result = project("--hil-history=maybe")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: --hil-history: unknown value maybe; choose true or false"])


def test_a_damaged_history_is_one_line_at_the_end_and_no_failure(project: FakeProject, database: Path) -> None:
    database.parent.mkdir()
    database.write_text("no database" * 999)
    result = project()
    assert result.ret == 0
    result.stdout.fnmatch_lines([f"hil: warning: {database} was damaged (file is not a database): it is kept as *"])
    assert len(query.sessions(database, 10)) == 1


def test_a_history_that_cannot_be_written_costs_no_results(project: FakeProject, database: Path) -> None:
    project("-k", "int8")
    ask(database, "PRAGMA user_version = 99")
    result = project()
    assert result.ret == 0
    result.stdout.fnmatch_lines([f"hil: warning: {database}: it has schema 99, *; this session waits in *"])
    assert project.verdicts == {FLOAT32: "pass", INT8: "pass"}
    ask(database, "PRAGMA user_version = 1")
    project("-k", "float32")
    assert ask(database, "SELECT count(*) FROM session") == [3]

"""Recordings that a device did not answer: which test fails, what it says, and what the figures are made of."""

from __future__ import annotations

import pytest
from support.fake_project import INT8, FakeProject

CONFTEST = """
    import pytest
    from support import fake_session
    from tflm_hil.pytest_plugin.fixtures import UART_LOG

    @pytest.fixture
    def device(request, firmware, tmp_path):
        log = request.node.stash[UART_LOG] = tmp_path / "log"
        log.write_text("the end of the log")
        return fake_session.FakeDevice(firmware)

    def pytest_hil_measured(feed):
        print("measured", feed)
"""
SUITE = """
    import os

    def test_file(measurement, record):
        record.measurement(measurement)
        assert "FAKE_WRONG" not in os.environ, "wrong"

    def test_all(whole_measurement, record):
        record.measurement(whole_measurement)
        assert len(whole_measurement.invoke) == 20
"""


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> FakeProject:
    project = FakeProject(pytester, monkeypatch, SUITE)
    pytester.makeconftest(CONFTEST)
    return project


def count(project: FakeProject) -> int:
    latency = project.run().latency
    assert latency is not None
    return latency.count


def test_a_lost_recording_fails_the_test_of_its_file_and_no_other(project: FakeProject) -> None:
    result = project("-k", "int8", "-rA", FAKE_LOST="b/1")
    result.assert_outcomes(passed=2, failed=1, deselected=3)
    result.stdout.fnmatch_lines(
        [
            "lost b/1 at window 3: the board rebooted",
            "the others were answered",
            "*UART log, lines of *log*",
            "-> #7 SAMPLES",
            "PASSED *test_file[[]*a.csv[]]",
            "PASSED *test_all[[]*",
            "FAILED *test_file[[]*b.csv[]]*",
        ]
    )
    assert "the end of the log" not in str(result.stdout)
    assert [case.log for case in project.run().tests] == ["", "-> #7 SAMPLES", ""]
    assert project.verdicts == {INT8: "fail"}
    assert "b/1 at window 3: the board rebooted" in project.report


def test_what_the_others_measured_is_kept(project: FakeProject) -> None:
    project("-k", "int8 and test_file", FAKE_LOST="b/1")
    assert count(project) == 15


def test_the_next_test_that_needs_it_tries_again(project: FakeProject) -> None:
    result = project("-k", "int8 and test_all", FAKE_LOST="b/1")
    result.assert_outcomes(failed=1, deselected=5)
    result = project("-k", "int8 and (test_all or test_file)", FAKE_LOST="a/0,b/1", FAKE_LOST_AGAIN="1")
    result.assert_outcomes(failed=3, deselected=3)
    assert str(result.stdout).count("lost a/0 at window 3: the board rebooted\n") == 2


def test_others_are_told_only_of_what_was_measured_whole(project: FakeProject) -> None:
    result = project("-k", "int8", "-s", FAKE_LOST="b/1")
    assert [line.partition("measured ")[2] for line in result.outlines if "measured " in line] == ["a.csv", "b.csv"]


def test_a_test_that_fails_by_itself_tells_the_losses_as_well(project: FakeProject) -> None:
    result = project("-k", "int8 and b.csv", FAKE_LOST="b/1", FAKE_WRONG="1")
    result.assert_outcomes(failed=1, deselected=5)
    result.stdout.fnmatch_lines(["E*AssertionError: wrong*", "*- lost -*", "lost b/1 at window 3: the board rebooted"])
    assert "the end of the log" in [case.log for case in project.run().tests]


def test_where_nothing_was_answered_there_is_nothing_to_look_at(project: FakeProject) -> None:
    result = project("-k", "int8 and b.csv", FAKE_LOST="b/0,b/1")
    result.assert_outcomes(errors=1, deselected=5)
    result.stdout.fnmatch_lines(["lost b/0 at window 3: *", "lost b/1 at window 3: *", "nothing was answered"])
    assert project.verdicts == {INT8: "fail"}


def test_a_second_try_passes(project: FakeProject) -> None:
    result = project("-k", "int8 and b.csv", "--reruns=1", FAKE_LOST="b/1")
    assert result.parseoutcomes() == {"passed": 1, "rerun": 1, "deselected": 5}
    assert count(project) == 10

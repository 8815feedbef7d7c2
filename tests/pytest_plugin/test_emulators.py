"""Several emulators in one session: every test that needs the board runs on each, and each is a run of its own."""

from __future__ import annotations

import pytest
from support.fake_project import FLOAT32, INT8, FakeProject

SUITE = """
    from dataclasses import replace
    import pytest
    from support import fake_session
    from tflm_hil.pytest_plugin.fixtures import UART_LOG

    class Device(fake_session.FakeDevice):
        def stream(self, recordings, go_on):
            return replace(super().stream(recordings, go_on), unit=self.emulator)

    @pytest.fixture
    def device(request, board, firmware):
        request.node.stash[UART_LOG] = None
        device = Device(firmware)
        device.emulator = board.emulator
        return device

    def test_answers(measurement, record, board):
        fake_session.answer(record)
        assert measurement.unit == board.emulator

    def test_speed(whole_measurement, board):
        assert whole_measurement.unit == board.emulator

    def test_image(firmware):
        pass

"""
BOTH = "qemu renode"


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> FakeProject:
    return FakeProject(pytester, monkeypatch, SUITE)


def test_each_emulator_has_runs_of_its_own(project: FakeProject) -> None:
    result = project("-s", FAKE_EMULATORS=BOTH)
    result.assert_outcomes(passed=2 * 2 * 2 + 2 * 2 + 2)
    assert project.verdicts == {
        INT8: "pass",
        FLOAT32: "pass",
        f"{INT8}-renode": "pass",
        f"{FLOAT32}-renode": "pass",
    }
    assert len(project.run(INT8).tests) == 4  # the one that needs no board is filed under the first emulator
    assert len(project.run(f"{INT8}-renode").tests) == 3
    assert f"{INT8}-renode: as qemu 0: answers equal, median +0.00%, max +0.00%" in result.stdout.str()


def test_tests_of_an_emulator_stay_together(project: FakeProject) -> None:
    listed = project("--collect-only", "-q", FAKE_EMULATORS=BOTH).outlines
    places = [line.rsplit("-", 1)[1] for line in listed if line.endswith(("-qemu]", "-renode]"))]
    assert places == ["qemu]"] * 6 + ["renode]"] * 6


def test_with_one_emulator_tests_are_called_as_ever(project: FakeProject) -> None:
    listed = project("--collect-only", "-q").outlines
    assert f"test_suite.py::test_answers[{INT8}-a.csv]" in listed
    assert not [line for line in listed if "qemu" in line]


def test_a_session_with_one_emulator_is_followed_by_one_with_both_and_the_other_way_round(project: FakeProject) -> None:
    project()
    assert project.verdicts == {INT8: "pass", FLOAT32: "pass"}
    project(FAKE_EMULATORS=BOTH)
    assert set(project.verdicts.values()) == {"pass"}
    assert len(project.verdicts) == 4
    project()
    assert [run.verdict for run in project.results.runs if run.current] == ["pass", "pass"]
    assert [run.earlier_verdict for run in project.results.runs if not run.current] == ["pass", "pass"]


@pytest.mark.nightly  # it starts three processes
def test_workers_share_the_emulators(project: FakeProject) -> None:
    project("-n", "2", "-k", "answers or speed", FAKE_EMULATORS=BOTH)
    assert [run.verdict for run in project.results.runs] == ["incomplete", "pass"] * 2  # test_image was left out
    assert {run.parity.windows for run in project.results.runs if run.parity} == {20}

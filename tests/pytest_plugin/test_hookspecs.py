"""The hooks that other plugins implement: each is called when its description says, and only with a board."""

from __future__ import annotations

import pytest
from support.fake_project import FLOAT32, INT8, FakeProject

CONFTEST = """
    from pathlib import Path
    import pytest
    from support import fake_session
    from tflm_hil.pytest_plugin.fixtures import UART_LOG

    def note(*words):
        with Path("notes").open("a") as file:
            print(*words, file=file)

    def pytest_hil_firmware_built(config, firmware):
        note("built", firmware.name, firmware.image.flash_bytes, config.rootpath.name)

    def pytest_hil_measured(feed, measurement):
        note("measured", measurement.firmware.name, feed, len(measurement.invoke))

    def pytest_hil_run_judged(run):
        note("judged", run.name, run.verdict, Path("reports/results.json").exists())

    def pytest_hil_report_lines(results):
        return [f"note: {len(results.runs)} runs"]

    @pytest.fixture
    def device(request, firmware, tmp_path):
        request.node.stash[UART_LOG] = tmp_path / "log"
        return fake_session.FakeDevice(firmware)
"""
SUITE = """
    def test_parity(measurement, record):
        record.measurement(measurement)

    def test_again(measurement, firmware):
        assert firmware.name
"""


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> FakeProject:
    project = FakeProject(pytester, monkeypatch, SUITE)
    pytester.makeconftest(CONFTEST)
    return project


def notes(project: FakeProject) -> list[str]:
    return (project.pytester.path / "notes").read_text().splitlines()


def test_other_plugins_are_told_once_of_images_measurements_and_verdicts_and_add_lines(project: FakeProject) -> None:
    result = project()
    assert result.ret == pytest.ExitCode.OK
    assert sorted(notes(project)) == sorted(
        note
        for name in (INT8, FLOAT32)
        for note in (
            f"built {name} 20000 {project.pytester.path.name}",
            f"measured {name} a.csv 10",
            f"measured {name} b.csv 10",
            f"judged {name} pass True",
        )
    )
    result.stdout.fnmatch_lines(["*= hardware in the loop =*", "note: 2 runs", "report: *"])
    assert "## From other plugins\n\n- note: 2 runs\n" in project.report


def test_runs_of_which_nothing_ran_are_not_judged_again(project: FakeProject) -> None:
    project()
    (project.pytester.path / "notes").unlink()
    project("-k", "int8")
    assert [note for note in notes(project) if note.startswith("judged")] == [f"judged {INT8} pass True"]


def test_without_a_board_no_hook_is_called(project: FakeProject) -> None:
    project.board = ()
    project().assert_outcomes(skipped=2)
    assert not (project.pytester.path / "notes").exists()


@pytest.mark.parametrize("hook", ["pytest_hil_run_judged", "pytest_hil_report_lines"])
def test_a_plugin_that_fails_at_the_end_is_one_line_and_the_reports_are_there(project: FakeProject, hook: str) -> None:
    project.pytester.makeconftest(CONFTEST + f"\n    def {hook}():\n        raise KeyError('lost')")
    result = project()
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines([f"ERROR: {hook} of another plugin: KeyError: 'lost'"])
    assert "Traceback" not in result.stdout.str()
    assert project.verdicts == {INT8: "pass", FLOAT32: "pass"}


def test_a_plugin_that_fails_at_an_image_fails_the_tests_of_it(project: FakeProject) -> None:
    project.pytester.makeconftest(
        CONFTEST + "\n    def pytest_hil_firmware_built(firmware):\n        assert 'int8' in firmware.name"
    )
    project().assert_outcomes(passed=4, errors=4)

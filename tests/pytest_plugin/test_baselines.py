"""Baselines and limits in a session: which folder, what is told where, and the exit status that a CI job sees."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from support.fake_project import FLOAT32, INT8, FakeProject

SUITE = """
    import os
    from pathlib import Path
    from support import fake_session
    from tflm_hil.errors import CrashError, LineError

    ERRORS = {"line": LineError, "crash": CrashError}

    def failing(name):
        if name == os.environ.get("FAILS"):
            raise ERRORS[name](f"no {name}")
        assert name != os.environ.get("WRONG"), "wrong"

    def test_figures(firmware, record):
        fake_session.answer(record)
        record.footprint(500, 300)

    def test_line(firmware):
        failing("line")

    def test_more(firmware):
        failing("crash")
        failing("more")

    def test_of_the_host():
        failing("host")
"""
UPDATE = "--hil-update-baseline"
LAST = "exit status {}: *"


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> FakeProject:
    return FakeProject(pytester, monkeypatch, SUITE)


@pytest.fixture
def committed(project: FakeProject) -> FakeProject:
    """A project with baselines."""
    assert project(UPDATE).ret == pytest.ExitCode.OK
    return project


def file(project: FakeProject, name: str = INT8) -> Path:
    return project.pytester.path / "baselines" / f"{name}-qemu.json"


def worsen(project: FakeProject, name: str = INT8) -> None:
    """Let this be a session whose image is larger than the baseline."""
    content = json.loads(file(project, name).read_text())
    content["run"]["firmware"]["flash_bytes"] -= 1000
    file(project, name).write_text(json.dumps(content))


def test_the_folder_of_the_project_is_made_by_an_update_and_used_without_an_option(project: FakeProject) -> None:
    assert project().ret == pytest.ExitCode.OK
    assert project.run().comparison is None
    assert project.results.no_baseline == [], "a project without baselines is not told to have any"
    project(UPDATE).stdout.fnmatch_lines([f"baseline: {FLOAT32}-qemu.json new", f"baseline: {INT8}-qemu.json new"])
    result = project()
    assert result.ret == pytest.ExitCode.OK
    comparison = project.run().comparison
    assert comparison is not None
    assert (comparison.base.what, comparison.changes) == (f"baselines/{INT8}-qemu.json", [])


def test_an_update_says_what_changed_and_writes_nothing_else(committed: FakeProject) -> None:
    untouched = file(committed, FLOAT32).stat().st_mtime_ns
    worsen(committed)
    result = committed(UPDATE)
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(
        [
            f"baseline: {INT8}-qemu.json updated",
            "    firmware.flash_bytes: 19,000 -> 20,000, +1,000 bytes (+5.3%)",
            f"baseline: unchanged for {FLOAT32}",
        ]
    )
    assert file(committed, FLOAT32).stat().st_mtime_ns == untouched


def test_only_runs_that_passed_are_put_into_the_baselines(project: FakeProject) -> None:
    project(UPDATE, "-k", "more")
    assert not list((project.pytester.path / "baselines").iterdir()), "a part of the suite is no pass"
    project(UPDATE, "-k", "int8")
    assert [path.name for path in (project.pytester.path / "baselines").iterdir()] == [f"{INT8}-qemu.json"]


@pytest.mark.parametrize(
    "processes",
    ["0", pytest.param("2", marks=pytest.mark.nightly)],  # The controller compares, whatever the workers are.
)
def test_a_regression_alone_is_status_8_and_told_everywhere(committed: FakeProject, processes: str) -> None:
    worsen(committed)
    result = committed("-n", processes, apart=processes != "0")
    assert result.ret == 8
    said = "firmware.flash_bytes: 19,000 -> 20,000, +1,000 bytes (+5.3%), limit firmware.flash_bytes>+1% (default)"
    result.stdout.fnmatch_lines(
        [
            f"REGRESSED: {INT8} {said}, against baselines/{INT8}-qemu.json*",
            f"exit status 8: nothing failed but the comparison with the baseline: {INT8} firmware.flash_bytes",
        ]
    )
    assert committed.verdicts == {INT8: "fail", FLOAT32: "pass"}
    comparison = committed.run().comparison
    assert comparison is not None
    assert [change.metric for change in comparison.regressions] == ["firmware.flash_bytes"]
    assert committed.junit("failure") == [f"hil.{INT8} firmware.flash_bytes"]
    junit = ET.parse(committed.pytester.path / "reports" / "junit.xml")
    assert junit.getroot()[0].get("failures") == "1"
    assert said in next(junit.iter("failure")).get("message", "") + (next(junit.iter("failure")).text or "")
    assert "What got worse" in committed.report.partition("| run | board")[0]


def test_what_got_better_is_told_and_passes(committed: FakeProject) -> None:
    content = json.loads(file(committed).read_text())
    content["run"]["latency"]["max"] = 200
    file(committed).write_text(json.dumps(content))
    result = committed()
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(
        [
            f"improved: {INT8} latency.max: 200 -> 100, -100 instructions (-50.0%)",
            "to keep what got better, update your baseline: --hil-update-baseline",
        ]
    )


@pytest.mark.parametrize(
    ("environment", "status"),
    [
        ({"WRONG": "more"}, 1),
        ({"WRONG": "host"}, 1),
        ({"FAILS": "line"}, 9),
        ({"FAILS": "crash"}, 1),
        ({"FAILS": "line", "WRONG": "more"}, 1),
    ],
)
def test_broken_infrastructure_is_status_9_unless_something_else_failed(
    project: FakeProject, environment: dict[str, str], status: int
) -> None:
    result = project(apart=False, **environment)
    assert result.ret == status
    result.stdout.fnmatch_lines([LAST.format(status)])
    broken = [case.infrastructure for run in project.results.runs for case in run.tests if case.outcome == "failed"]
    assert status == 1 or (broken and all(broken))


def test_the_workers_of_xdist_tell_what_is_broken(project: FakeProject) -> None:
    assert project("-n", "1", apart=True, FAILS="line").ret == 9


def test_a_regression_beside_broken_infrastructure_is_a_failure(committed: FakeProject) -> None:
    worsen(committed)
    assert committed(FAILS="line", WRONG="nothing").ret == 1


def test_a_budget_by_a_limit_of_the_figure_itself_needs_no_baseline(project: FakeProject) -> None:
    result = project("--hil-fail-on=latency.max>99")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        [
            f"FAILED: {INT8}: latency.max: 100 instructions, beyond the limit latency.max>99 (--hil-fail-on)",
            LAST.format(1),
        ]
    )
    assert project("--hil-fail-on=latency.max>100").ret == pytest.ExitCode.OK


def test_limits_come_from_ini_environment_and_command_line_and_later_ones_win(committed: FakeProject) -> None:
    worsen(committed)
    committed.pytester.makeini("[pytest]\nhil_fail_on = firmware.flash_bytes>+6%")
    assert committed().ret == pytest.ExitCode.OK
    result = committed(HIL_FAIL_ON="firmware.flash_bytes>+5%")
    assert result.ret == 8
    result.stdout.fnmatch_lines(["REGRESSED: *, limit firmware.flash_bytes>+5% (HIL_FAIL_ON), *"])
    allowed = ("--hil-fail-on=firmware.ram_bytes>+0", "--hil-fail-on=firmware.flash_bytes>+1000")
    assert committed(*allowed, HIL_FAIL_ON="firmware.flash_bytes>+5%").ret == pytest.ExitCode.OK


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("pytest.ini", "[pytest]\nhil_fail_on =\n  latency.max>99,\n  latency.median>+3%"),
        ("pyproject.toml", "[tool.pytest.ini_options]\nhil_fail_on = ['latency.median>+3%', 'latency.max>99']"),
    ],
)
def test_an_ini_file_may_have_a_line_for_each_limit(project: FakeProject, file: str, text: str) -> None:
    (project.pytester.path / "tox.ini").unlink()
    (project.pytester.path / file).write_text(text)
    result = project()
    result.stdout.fnmatch_lines([f"*beyond the limit latency.max>99 (hil_fail_on in {file})"])


@pytest.mark.parametrize(
    ("arguments", "environment", "message"),
    [
        (["--hil-fail-on=latency.max"], {}, "--hil-fail-on: 'latency.max' is no limit; *"),
        ([], {"HIL_FAIL_ON": "flash>+1%"}, "HIL_FAIL_ON: 'flash>+1%' names no metric; *firmware.flash_bytes*"),
        (["-o", "hil_fail_on=x"], {}, "hil_fail_on in *: 'x' is no limit; *"),
        (["-o", "hil_strict=maybe"], {}, "hil_strict in the ini file: 'maybe' is no truth value; write true or false"),
        ([], {"HIL_STRICT": "2"}, "HIL_STRICT: '2' is no truth value; write true or false"),
        (["--hil-baseline=nowhere"], {}, "*nowhere: no such folder of baselines; make it with --hil-update-baseline"),
    ],
)
def test_wrong_limits_and_folders_are_usage_errors_of_one_line(
    project: FakeProject, arguments: list[str], environment: dict[str, str], message: str
) -> None:
    result = project(*arguments, apart=False, **environment)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {message}"])
    assert len(result.stderr.str().strip().splitlines()) == 1


@pytest.mark.parametrize("arguments", [[], [UPDATE]])
def test_a_damaged_baseline_is_found_before_the_first_test(committed: FakeProject, arguments: list[str]) -> None:
    file(committed).write_text(file(committed).read_text()[:100])
    result = committed(*arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: baselines/{INT8}-qemu.json: is damaged (*); restore it, or delete it *"])


def test_a_missing_baseline_is_told_and_fails_if_strict(committed: FakeProject) -> None:
    file(committed).unlink()
    result = committed()
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines([f"no baseline: {INT8}; make it with --hil-update-baseline"])
    assert committed.results.no_baseline == [INT8]
    assert f"`{INT8}` has no baseline" in committed.report
    assert committed("--hil-strict").ret == 8
    assert committed.verdicts == {INT8: "fail", FLOAT32: "pass"}
    assert committed.junit("failure") == [f"hil.{INT8} baseline"]
    committed.pytester.makeini("[pytest]\nhil_strict = true")
    assert committed().ret == 8
    assert committed(HIL_STRICT="false").ret == pytest.ExitCode.OK


def drop(project: FakeProject) -> None:
    """Let a model that was there be no more."""
    content = json.loads(file(project).read_text())
    content["run"]["model"] = "gone"
    (project.pytester.path / "baselines" / "gone-int8-aot-stm32f4-qemu.json").write_text(json.dumps(content))


def test_a_stale_baseline_is_told_and_fails_if_strict(committed: FakeProject) -> None:
    drop(committed)
    stale = "baselines/gone-int8-aot-stm32f4-qemu.json"
    result = committed()
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines([f"stale baseline: nothing runs for {stale}; delete it"])
    assert committed.results.stale_baselines == [stale]
    assert f"`{stale}`: nothing ran for this baseline" in committed.report
    result = committed("--hil-strict")
    assert result.ret == 8
    assert committed.junit("failure") == [f"hil.session {stale}"]
    assert set(committed.verdicts.values()) == {"pass"}


@pytest.mark.parametrize("part", [("-k", "int8"), ("test_suite.py::test_figures",)])
def test_a_session_that_was_not_to_run_all_calls_no_run_stale_that_it_left_out(
    committed: FakeProject, part: tuple[str, ...]
) -> None:
    committed(*part)
    assert committed.results.stale_baselines == []


def test_a_session_may_be_held_against_nothing(committed: FakeProject) -> None:
    worsen(committed)
    assert committed("--hil-baseline=none").ret == pytest.ExitCode.OK
    assert committed.run().comparison is None
    result = committed(UPDATE, HIL_BASELINE="none")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: --hil-update-baseline: --hil-baseline=none names no folder; *"])


def test_a_baseline_elsewhere_is_named(project: FakeProject) -> None:
    project("--hil-baseline=base", UPDATE)
    assert not (project.pytester.path / "baselines").exists()
    result = project("--hil-baseline=base", "-k", "int8")
    assert result.ret == pytest.ExitCode.OK
    comparison = project.run().comparison
    assert comparison is not None
    assert comparison.base.what == f"base/{INT8}-qemu.json"

"""No false green: what a run says when tests are left out, tried again, repeated, interrupted or killed."""

from __future__ import annotations

import pytest
from junitparser import Failure, JUnitXml
from msgspec.structs import replace
from support.fake_project import FLOAT32, INT8, FakeProject
from tflm_hil.results.exit_status import ExitStatus
from tflm_hil.results.model import Run, save

SUITE = """
    import os, signal, threading
    from pathlib import Path
    import pytest
    from support import fake_session

    ACCIDENT = os.environ.get("ACCIDENT")

    def once():
        mark = Path("once")
        return not mark.exists() and not mark.touch()

    @pytest.fixture
    def torn():
        yield
        if ACCIDENT == "signals":
            os.kill(os.getpid(), signal.SIGTERM)
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGHUP)
        assert ACCIDENT != "teardown", "no tear-down"

    @pytest.fixture
    def up():
        assert ACCIDENT != "setup", "no set-up"

    def test_parity(firmware, feed, record):
        fake_session.answer(record)

    def test_size(firmware, record, torn, up):
        record.footprint(500, 300)
        if ACCIDENT == "signals":
            os.kill(os.getpid(), signal.SIGTERM)
        if ACCIDENT == "kill" and once():
            os.kill(os.getpid(), signal.SIGKILL)
        if ACCIDENT == "hang":
            threading.Event().wait()
        if ACCIDENT == "other" and Path("other.json").exists():
            Path("other.json").replace("reports/results.json")
        if ACCIDENT == "exit":
            pytest.exit("enough", returncode=0)
        assert ACCIDENT != "once" or not once(), "bad luck"
        assert ACCIDENT != "always", "too large by far"

    def test_speed(firmware, record):
        assert ACCIDENT != "always", "too large by far"
"""

DEVICE = """
    import pytest
    from support import fake_session
    from tflm_hil.pytest_plugin.fixtures import UART_LOG

    @pytest.fixture
    def device(request, firmware, tmp_path):
        request.node.stash[UART_LOG] = tmp_path / "log"
        return fake_session.FakeDevice(firmware)
"""


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> FakeProject:
    return FakeProject(pytester, monkeypatch, SUITE)


def windows(run: Run) -> int:
    assert run.parity is not None
    return run.parity.windows


def test_every_planned_test_has_ended(project: FakeProject) -> None:
    assert project().ret == pytest.ExitCode.OK
    assert project.verdicts == {INT8: "pass", FLOAT32: "pass"}
    assert windows(project.run()) == 20
    assert project.junit("failure") == project.junit("skipped") == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["-k", "parity and int8"],
        ["-m", "not slow"],
        ["--deselect", "test_suite.py::test_size"],
        ["test_suite.py::test_parity"],
    ],
    ids=["-k", "-m", "--deselect", "node id"],
)
def test_what_is_left_out_is_said_everywhere_and_what_it_measured_is_kept(
    project: FakeProject, arguments: list[str]
) -> None:
    project.pytester.makepyfile(
        test_suite=SUITE.replace("    def test_size", "    @pytest.mark.slow\n    def test_size")
    )
    project.pytester.makeini("[pytest]\nmarkers = slow")
    project()
    result = project(*arguments)
    assert result.ret == pytest.ExitCode.OK
    assert project.verdicts == {INT8: "incomplete", FLOAT32: "incomplete"}
    run = project.run()
    assert any("test_size" in test for test in run.not_run)
    assert run.firmware is not None
    assert windows(run) == 20
    assert not run.stale
    assert f"{INT8}" in project.report
    assert "**incomplete**" in project.report
    assert f"`{run.not_run[0]}` (passed " in project.report
    result.stdout.fnmatch_lines([f"{INT8}: * of 4 tests have not run: *test_size*"])
    assert f"hil.{INT8} incomplete" in project.junit("skipped")


@pytest.mark.parametrize(
    ("option", "gap"),
    [
        ("--ignore=test_more.py", "test_more.py was not collected (--ignore)"),
        ("--ignore=below", "below/test_deep.py was not collected (--ignore)"),
        ("--ignore-glob=*deep*", "below/test_deep.py was not collected (--ignore-glob)"),
        ("--override-ini=python_files=test_suite.py", "the suite was collected with another python_files (-o)"),
    ],
)
def test_files_of_the_suite_that_an_option_leaves_out_are_missing(project: FakeProject, option: str, gap: str) -> None:
    project.pytester.makepyfile(test_more="def test_more(firmware): pass")
    (project.pytester.mkdir("below") / "test_deep.py").write_text("def test_deep(firmware): pass")
    assert project(option).ret == pytest.ExitCode.OK
    assert set(project.verdicts.values()) == {"incomplete"}
    assert project.results.gaps == [gap]


@pytest.mark.parametrize("option", ["--ignore=elsewhere", "--ignore-glob=*.md", "--override-ini=log_level=INFO"])
def test_an_option_that_leaves_out_nothing_of_the_suite_changes_nothing(project: FakeProject, option: str) -> None:
    project.pytester.mkdir("elsewhere")
    project(option)
    assert set(project.verdicts.values()) == {"pass"}


def test_what_the_project_itself_ignores_is_no_part_of_its_suite(project: FakeProject) -> None:
    project.pytester.makepyfile(test_more="def test_more(firmware): pass")
    project.pytester.makeini("[pytest]\naddopts = --ignore=test_more.py")
    project()
    assert set(project.verdicts.values()) == {"pass"}


def test_a_part_of_an_empty_report_is_no_pass_either(project: FakeProject) -> None:
    project("-k", "parity and int8")
    assert project.verdicts == {INT8: "incomplete"}
    assert project.results.left_out == [FLOAT32]
    assert windows(project.run()) == 20


def test_files_of_the_suite_that_were_not_named_are_missing(project: FakeProject) -> None:
    project.pytester.makeini("[pytest]\ntestpaths = test_*.py")
    project.pytester.makepyfile(test_more="def test_more(firmware): pass")
    result = project("test_suite.py")
    assert set(project.verdicts.values()) == {"incomplete"}
    result.stdout.fnmatch_lines(["incomplete: test_more.py was not collected"])
    project()
    assert set(project.verdicts.values()) == {"pass"}


def test_figures_of_another_image_are_kept_apart_and_marked(project: FakeProject) -> None:
    project()
    result = project("-k", "a.csv", FAKE_IMAGE="2")
    run = project.run()
    assert windows(run) == 10
    assert run.stale == ["firmware"]
    assert [case.id for case in run.tests if case.stale] == run.not_run
    result.stdout.fnmatch_lines([f"{INT8} *20,000[*]*incomplete", "[*]: measured in an earlier session*"])
    assert "From an earlier session, with other sources or another image: firmware." in project.report
    project(FAKE_IMAGE="2")
    assert (project.run().verdict, project.run().stale) == ("pass", [])


def test_other_runs_are_kept_as_they_were(project: FakeProject) -> None:
    project()
    kept = project.run(FLOAT32)
    result = project("-k", "int8")
    assert project.verdicts == {INT8: "pass", FLOAT32: "incomplete"}
    assert project.run(FLOAT32).parity == kept.parity
    assert project.run(FLOAT32).earlier_verdict == "pass"
    result.stdout.fnmatch_lines([f"{FLOAT32}: incomplete, none of its 4 tests has run, earlier: pass"])


def test_a_test_that_is_no_more_is_missed_by_nobody(project: FakeProject) -> None:
    project()
    project.pytester.makepyfile(test_suite=SUITE.replace("test_speed", "test_haste"))
    project()
    assert set(project.verdicts.values()) == {"pass"}
    project("--ignore=test_suite.py", "--co")
    project.pytester.makepyfile(test_more="def test_more(firmware): pass")
    project("test_more.py")
    assert len(project.run().not_run) == 4


def test_a_pass_after_a_failure_says_so_and_counts_once(project: FakeProject) -> None:
    result = project("--reruns", "1", "-k", "int8", ACCIDENT="once")
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines([f"{INT8} *pass (2nd try)"])
    assert "**pass (2nd try)**" in project.report
    assert "test_size[m-int8-aot-stm32f4]`: passed at try 2" in project.report
    assert (project.run().verdict, windows(project.run()), project.run().tries) == ("pass", 20, 2)


def test_repeats_count_once_and_one_that_fails_fails_the_test(project: FakeProject) -> None:
    assert project("--count", "3", "-k", "int8").ret == pytest.ExitCode.OK
    assert (project.run().verdict, windows(project.run())) == ("pass", 20)
    assert len(project.run().tests) == 4
    assert project("--count", "3", "-k", "int8", ACCIDENT="once").ret == pytest.ExitCode.TESTS_FAILED
    assert (project.run().verdict, windows(project.run())) == ("fail", 20)


SKIPPED_BY = {
    "a mark": "def pytest_collection_modifyitems(items):\n"
    "    [item.add_marker(pytest.mark.skip) for item in items if 'parity' in item.name]",
    "a fixture": "@pytest.fixture(autouse=True)\n"
    "def patience(request):\n    'parity' in request.node.name and pytest.skip('too slow')",
}


@pytest.mark.parametrize("skipped", SKIPPED_BY.values(), ids=SKIPPED_BY)
def test_what_a_project_skips_is_missing_as_what_it_deselects(project: FakeProject, skipped: str) -> None:
    project.pytester.makeconftest(f"import pytest\n{skipped}")
    result = project()
    assert result.ret == pytest.ExitCode.OK
    assert project.verdicts == {INT8: "incomplete", FLOAT32: "incomplete"}
    result.stdout.fnmatch_lines([f"{INT8}: 2 of 4 tests have not run: *test_parity*"])


@pytest.mark.parametrize("accident", ["setup", "teardown"])
def test_an_error_around_a_test_fails_its_run(project: FakeProject, accident: str) -> None:
    assert project(ACCIDENT=accident).ret == pytest.ExitCode.TESTS_FAILED
    assert set(project.verdicts.values()) == {"fail"}
    assert "- no " in project.report


@pytest.mark.parametrize("arguments", [["-x"], ["--maxfail=1"], ["--sw"]])
def test_what_a_stop_at_a_failure_left_out_is_missing(project: FakeProject, arguments: list[str]) -> None:
    assert project(*arguments, ACCIDENT="always").ret != pytest.ExitCode.OK
    assert project.run().verdict == "fail"
    assert any("test_speed" in test for test in project.run().not_run)
    assert f"hil.{INT8} incomplete" in project.junit("failure")


def test_only_failures_of_before_are_no_whole_run(project: FakeProject) -> None:
    project(ACCIDENT="always")
    assert project("--ff").ret == pytest.ExitCode.OK
    assert set(project.verdicts.values()) == {"pass"}
    project(ACCIDENT="always")
    (project.pytester.path / "reports" / "results.json").unlink()
    result = project("--lf")
    assert result.ret == pytest.ExitCode.OK
    assert set(project.verdicts.values()) == {"incomplete"}
    result.stdout.fnmatch_lines(["incomplete: only files with earlier failures were collected (--lf)"])


@pytest.mark.parametrize("option", ["--collect-only", "--setup-only", "--setup-plan"])
def test_what_calls_no_test_leaves_the_reports_alone(project: FakeProject, option: str) -> None:
    project()
    before = {path: path.read_bytes() for path in (project.pytester.path / "reports").iterdir()}
    assert project(option).ret == pytest.ExitCode.OK
    assert {path: path.read_bytes() for path in (project.pytester.path / "reports").iterdir()} == before


@pytest.mark.parametrize("arguments", [[], ["--continue-on-collection-errors"]])
def test_a_file_that_cannot_be_collected_may_hold_any_test(project: FakeProject, arguments: list[str]) -> None:
    project()
    project.pytester.makepyfile(test_broken="import nowhere")
    assert project(*arguments).ret != pytest.ExitCode.OK
    assert set(project.verdicts.values()) == {"incomplete"}
    assert windows(project.run()) == 20
    assert project.results.gaps == ["test_broken.py could not be collected"]


def test_tests_that_were_to_run_and_did_not_fail_the_session(project: FakeProject) -> None:
    assert project("-k", "int8", ACCIDENT="exit").ret == pytest.ExitCode.TESTS_FAILED
    assert project.verdicts == {INT8: "incomplete"}
    assert project.junit("failure") == [f"hil.{INT8} incomplete"]


def test_one_cause_fails_one_test_even_if_it_is_tried_again(project: FakeProject) -> None:
    result = project("--reruns", "1", FAKE_REFUSED="int8")
    outcomes = result.parseoutcomes()
    assert (outcomes["errors"], outcomes["skipped"], outcomes["passed"]) == (1, 3, 4)
    assert project.verdicts == {INT8: "fail", FLOAT32: "pass"}
    of_the_run = project.report.partition(f"\n## {INT8}\n")[2]
    assert of_the_run.count(f"{INT8}: no engine takes this network") == 1


def test_the_same_reason_is_given_once_in_the_report(project: FakeProject) -> None:
    project("-k", "int8", ACCIDENT="always")
    at_the_top, _, of_the_run = project.report.partition(f"\n## {INT8}\n")
    assert (at_the_top.count("too large by far"), of_the_run.count("too large by far")) == (1, 1)
    assert len(project.run().failures) == 2


def test_signals_that_follow_the_first_do_not_break_the_reports(project: FakeProject) -> None:
    project()
    result = project("-k", "int8", apart=True, ACCIDENT="signals")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    assert project.run().verdict == "incomplete"
    assert any("test_size" in test for test in project.run().not_run)
    assert "**incomplete**" in project.report
    assert project.junit("failure") == [f"hil.{INT8} incomplete"]
    result.stderr.fnmatch_lines(["hil: stopping the board*"])
    assert "Traceback" not in result.stderr.str()


def test_a_session_that_is_killed_leaves_no_report_of_an_earlier_one(project: FakeProject) -> None:
    project()
    project("-k", "int8", apart=True, ACCIDENT="kill")
    assert set(project.verdicts.values()) == {"incomplete"}
    assert project.results.gaps == ["the session has not ended"]
    assert project.run().earlier_verdict == "pass"
    assert windows(project.run()) == 20
    assert "Incomplete: the session has not ended." in project.report
    assert project.junit("failure") == ["hil session"]
    project()
    assert set(project.verdicts.values()) == {"pass"}


@pytest.mark.nightly  # waits for two time-outs; the one below for one
def test_a_test_that_takes_too_long_fails_its_run(project: FakeProject) -> None:
    result = project("-p", "pytest_timeout", "--timeout=2", "--timeout-method=signal", apart=True, ACCIDENT="hang")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert set(project.verdicts.values()) == {"fail"}
    assert "Timeout" in project.report


def test_a_session_that_a_time_out_ends_is_incomplete(project: FakeProject) -> None:
    result = project("-p", "pytest_timeout", "--timeout=2", "--timeout-method=thread", apart=True, ACCIDENT="hang")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert set(project.verdicts.values()) == {"incomplete"}
    assert project.results.gaps == ["the session has not ended"]
    assert project.junit("failure") == ["hil session"]


def test_figures_of_files_that_change_in_between_are_no_pass(project: FakeProject) -> None:
    assert project(FAKE_CHANGED="models/m/m.tflite").ret == pytest.ExitCode.TESTS_FAILED
    assert set(project.verdicts.values()) == {"incomplete"}
    assert "models/m/m.tflite changed while the tests ran" in project.report


def test_what_another_session_reports_in_the_meantime_is_kept(project: FakeProject) -> None:
    project()
    results = project.results
    before = [replace(run, model="other") for run in results.runs]
    save(replace(results, runs=before), project.pytester.path / "other.json")
    project(ACCIDENT="other")
    assert [run.model for run in project.results.runs] == ["m", "m", "other", "other"]
    assert [run.tests for run in project.results.runs if run.model == "m"] != [[], []]
    assert [project.verdicts[name] for name in (INT8, FLOAT32)] == ["pass", "pass"]


def test_a_worker_that_is_killed_fails_the_run_of_its_test(project: FakeProject) -> None:
    result = project("-n", "1", "-k", "int8", apart=True, ACCIDENT="kill")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    run = project.run()
    assert (run.verdict, windows(run)) == ("fail", 20)
    assert len(run.failures) == 1
    assert "crashed while running" in project.report


@pytest.mark.nightly
def test_a_worker_that_was_killed_may_be_tried_again(project: FakeProject) -> None:
    project("-n", "2", "--reruns", "1", "-k", "int8", apart=True, ACCIDENT="kill").stdout.fnmatch_lines(
        ["*pass (2nd try)"]
    )


@pytest.mark.nightly
@pytest.mark.parametrize("dist", ["each", "loadscope", "load", "loadgroup", "worksteal"])
def test_however_tests_are_distributed_each_counts_once(project: FakeProject, dist: str) -> None:
    assert project("-n", "4", "--maxprocesses=2", "--dist", dist, apart=True).ret == pytest.ExitCode.OK
    assert set(project.verdicts.values()) == {"pass"}
    assert windows(project.run()) == 20


def test_a_missed_budget_is_one_failure_with_its_reason_and_the_line_that_sets_it(project: FakeProject) -> None:
    project.pytester.makepyfile(test_suite="from tflm_hil.suite.latency import test_latency_stays_within_the_budget")
    project.pytester.makeconftest(DEVICE)
    manifest = (
        "[variants.int8.budgets.all.all]\nflash_bytes = 1\n[variants.int8.budgets.stm32f4.aot]\ninstructions = 99\n"
    )
    (project.pytester.path / "model.toml").write_text(manifest)
    summary = project.pytester.path / "summary"
    selected = "-k", "int8 and budget"
    result = project(*selected, FAKE_BUDGET="99", GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY=str(summary))
    result.assert_outcomes(failed=1, deselected=1)
    assert "- slowest inference: 100 instructions, 1 over the budget of 99 (model.toml:4)\n" in project.report
    result.stdout.fnmatch_lines(["::error file=model.toml,line=4,title=hil.test::test_suite.py::*"])
    assert summary.read_text().startswith("## \u274c Fail: 1 test failed")
    (suite,) = JUnitXml.fromfile(str(project.pytester.path / "reports" / "junit.xml"))
    assert [(case.name, type(case.result[0])) for case in suite if case.result] == [
        ("test_latency_stays_within_the_budget[m-int8-aot-stm32f4]", Failure)
    ]
    latency = project.run().latency
    assert latency is not None
    assert latency.count == 20


def test_a_counter_that_is_refused_fails_the_test_of_the_budget_with_its_reason(project: FakeProject) -> None:
    project.pytester.makepyfile(test_suite="from tflm_hil.suite.latency import test_latency_stays_within_the_budget")
    project.pytester.makeconftest(DEVICE)
    result = project("-k", "int8 and budget", FAKE_BUDGET="101", FAKE_COUNTER="the counter shows 544 ticks")
    result.assert_outcomes(failed=1, deselected=1)
    result.stdout.fnmatch_lines(["the counter shows 544 ticks"])


def test_plain_pytest_runs_the_suite_and_not_the_tests_of_the_harness(pytestconfig: pytest.Config) -> None:
    assert pytestconfig.getini("testpaths") == ["tests/test_hil.py"]


def test_a_full_disk_of_temporary_files_is_one_line_and_no_pass(project: FakeProject) -> None:
    project.pytester.makeconftest(
        """
        import os
        import pytest
        from _pytest.junitxml import xml_key

        @pytest.hookimpl(tryfirst=True)
        def pytest_sessionfinish(session):
            os.symlink("/dev/full", session.config.stash[xml_key].logfile)
        """
    )
    result = project()
    assert result.ret == ExitStatus.INFRASTRUCTURE
    result.stdout.fnmatch_lines(["ERROR: cannot write *junit.xml: No space left on device; free it, or set TMPDIR"])
    assert "Traceback" not in str(result.stdout) + str(result.stderr)
    assert project.junit("failure") == ["hil session"]

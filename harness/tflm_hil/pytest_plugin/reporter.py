"""Collects what tests report, from all pytest-xdist workers too, and publishes it when the session ends."""

from __future__ import annotations

import os
import re
import tempfile
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tflm_hil.errors import HilError
from tflm_hil.lab.limits import accuracy_sources, limits_of
from tflm_hil.lab.session import Session
from tflm_hil.pytest_plugin.interruption import Interruption
from tflm_hil.pytest_plugin.junit_file import JunitFile
from tflm_hil.pytest_plugin.outcome import INFRASTRUCTURE, Outcome
from tflm_hil.pytest_plugin.planner import FOLDER, Plan, Planner, narrowed, only_looks, read_plans
from tflm_hil.pytest_plugin.recorder import LEFT_OUT, MEASURED
from tflm_hil.pytest_plugin.sharing import Sharing
from tflm_hil.report import github
from tflm_hil.report.baseline import update_lines
from tflm_hil.report.html.trend import Trends, read_trends
from tflm_hil.report.publish import Published, publish
from tflm_hil.report.summary import summary_lines
from tflm_hil.results import baselines, environment
from tflm_hil.results.baselines import Update, update_baselines
from tflm_hil.results.history import place
from tflm_hil.results.history.record import record
from tflm_hil.results.judge import Expected, judge
from tflm_hil.results.merge import Planned, Report, beside, merge, unreported
from tflm_hil.results.merge import Session as Ended
from tflm_hil.results.model import Results, load

REASON_LINES = 12
REASON_COLUMNS = 400


class Reporter:
    """Lives in the controlling process only."""

    def __init__(
        self,
        config: pytest.Config,
        session: Session,
        planner: Planner,
        interruption: Interruption,
        warned: list[str],
        sharing: Sharing,
    ) -> None:
        options = session.options
        self._config = config
        self._session = session
        self._planner = planner
        self._interruption = interruption
        self._warned = warned
        self._sharing = sharing
        self._created = environment.created()
        self._begun = False
        self._reports: list[tuple[str, pytest.TestReport]] = []
        self._broken: dict[str, None] = {}
        self._earlier: Results | None = None
        try:
            self._earlier = self._read()
        except HilError as error:
            self._warned.append(f"hil: warning: {error}; it is written anew, and nothing of it is kept")
        self._limits = {build.name: limits_of(build, options) for build in session.builds}
        self._expected = {
            build.name: Expected(
                build.budget, build.model.note, self._limits[build.name], accuracy_sources(build, options.root)
            )
            for build in session.builds
        }
        self._baselines = baselines.open_folder(options.baseline_dir, options.root, options.update_baseline)
        self._update: Update | None = None
        self._published: Published | None = None
        self._error: HilError | None = None
        self._outcome = Outcome()
        self._planned = False
        self._said = ""
        self._scratch = tempfile.TemporaryDirectory(prefix="hil-")
        config.add_cleanup(self._scratch.cleanup)
        self._plans = Path(self._scratch.name) / "plans"
        self._junit = JunitFile(config, options.report_dir, Path(self._scratch.name))

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell a pytest-xdist worker where to leave its plan."""
        node.workerinput[FOLDER] = str(self._plans)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A file that cannot be collected may hold any test."""
        if report.failed:
            self._broken[report.nodeid] = None

    def pytest_runtest_logstart(self) -> None:
        """Mark the reports before the first test: a session that is killed must not leave those of an earlier one."""
        if self._begun or only_looks(self._config):
            return
        self._begun = True
        session, files = self._ended()
        if session.plan:
            unended = replace(session, gone=self._gone(files), gaps=["the session has not ended"])
            results = merge(self._before(session), unended)
            with self._reporting():
                publish(judge(results), self._session.options.report_dir)
                self._junit.begin()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the report until the plan is known."""
        node = getattr(report, "node", None)
        self._reports.append((node.gateway.id if node is not None else "", report))

    @pytest.hookimpl(wrapper=True, trylast=True)  # around pytest's own JUnit plugin, within its terminal reporter
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, object, object]:
        """Write the reports. What is no pass fails the session, unless it was left out on purpose."""
        self._interruption.ending()
        if not only_looks(self._config):
            with self._reporting():
                self._finish()
        try:
            with self._reporting(), self._junit.written(wanted=self._published is not None):
                return (yield)
            return None
        finally:
            if self._error:
                blamed = self._outcome.broken if self._error.infrastructure else self._outcome.failed
                blamed.append(str(self._error))
            if self._planned or self._error:
                self._said = self._outcome.applied_to(session)

    def _finish(self) -> None:
        ended, files = self._ended()
        if not ended.plan:
            return
        self._planned = True
        options = self._session.options
        if changed := self._session.changed():
            names = ", ".join(os.path.relpath(file, self._config.rootpath) for file in changed)
            ended.gaps.append(f"{names} changed while the tests ran")
            self._outcome.failed.append(ended.gaps[-1])
        results = merge(self._before(ended), replace(ended, gone=self._gone(files)))
        if self._baselines is not None and not options.update_baseline:
            results = baselines.hold(results, self._baselines, self._limits)
        if self._baselines is not None and not ended.gaps:
            stale = baselines.stale(self._baselines, ended.plan, options.models)
            results = msgspec.structs.replace(results, stale_baselines=stale)
        results = judge(results, self._expected, options.strict)
        missing = unreported(ended)
        self._junit.add(results, set(missing))
        self._outcome.add_tests(report for _, report in self._reports)
        self._outcome.add_results(results)
        self._outcome.failed += [f"{test} has not run" for test in missing]
        if options.update_baseline and options.baseline_dir is not None:
            current = [run for run in results.runs if run.current]
            commit = str(results.git.get("commit", ""))
            self._update = update_baselines(current, options.baseline_dir, options.root, commit, self._limits)
        lines: list[str] = []
        with self._reporting():
            for said in self._call("pytest_hil_report_lines", results=results):
                lines += [said] if isinstance(said, str) else said
        trends: Trends | None = None
        if options.history:
            self._warned += record(place(options.root), results)
            try:
                trends = read_trends(place(options.root), results.runs)
            except HilError as error:
                self._warned.append(f"hil: warning: {error}; report.html is without trends")
        self._published = publish(results, options.report_dir, lines, trends)
        if path := github.summary_file():
            github.append_summary(results, path)
        for run in results.runs:
            if run.current:
                self._call("pytest_hil_run_judged", run=run)

    def _call(self, hook: str, **arguments: object) -> list[Any]:
        """What other plugins return from a hook. Raises HilError if one of them fails."""
        try:
            returned: list[Any] = getattr(self._config.hook, hook)(config=self._config, **arguments)
            return returned
        except Exception as error:
            raise HilError(f"{hook} of another plugin: {type(error).__name__}: {error}") from error

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """The table of figures and where the reports are."""
        if self._published:
            terminalreporter.section("hardware in the loop")
            updated = update_lines(self._update) if self._update else ()
            for line in [*summary_lines(self._published), *updated, *self._warned]:
                terminalreporter.write_line(line)
            here = self._config.invocation_params.dir
            files = {"figures": self._published.results_file, "JUnit": self._junit.path}
            others = ", ".join(f"{name}: {os.path.relpath(file, here)}" for name, file in files.items() if file)
            terminalreporter.write_line(f"report: {os.path.relpath(self._published.report, here)} ({others})")
            for command in github.annotation_lines(self._published.results) if github.running() else ():
                terminalreporter.write_line(command)
        if self._error:
            terminalreporter.write_line(f"ERROR: {self._error}", red=True)
        if self._said:
            terminalreporter.write_line(self._said, red=True)

    @contextmanager
    def _reporting(self) -> Iterator[None]:
        """The first file that cannot be written is told at the end, and fails the session."""
        try:
            yield
        except HilError as error:
            self._error = self._error or error

    def _ended(self) -> tuple[Ended, set[str]]:
        """The session as its tests have reported it so far, and the files that it collected."""
        plans = read_plans(self._plans) or {"": self._planner.plan}
        each = self._config.getoption("dist", "no") == "each"
        planned = {worker: _copies(plan, worker) if each else plan.tests for worker, plan in plans.items()}
        anywhere = {nodeid: test for tests in planned.values() for nodeid, test in tests.items()}
        tries: Counter[tuple[tuple[str, ...], str]] = Counter()
        reports = []
        left_out: set[tuple[tuple[str, ...], str]] = set()
        for worker, report in self._reports:
            test = planned.get(worker, {}).get(report.nodeid) or anywhere.get(report.nodeid)
            if test is not None:
                key = (test.case, test.copy)
                tries[key] += report.when == "setup" or not tries[key]
                left_out |= {key} if getattr(report, LEFT_OUT, False) else set()
                reports.append(_report(test, tries[key], report))
        tests = {(test.case, test.copy): test for tests in planned.values() for test in tests.values()}
        git = environment.git(self._config.rootpath)
        session = Ended(
            created=self._created,
            code=environment.code(git),
            git=git,
            host=environment.host(),
            toolchain=self._session.toolchain,
            plan=[replace(test, selected=test.selected and key not in left_out) for key, test in tests.items()],
            reports=[each for each in reports if (each.planned.case, each.planned.copy) not in left_out],
            missing_engines=self._session.missing_engines,
            boards=self._sharing.parts,
            skipped={build.name: build.skipped for build in self._session.builds if build.skipped is not None},
            gaps=[*(f"{file} could not be collected" for file in self._broken), *narrowed(self._config)],
        )
        return session, set().union(*(plan.files for plan in plans.values()))

    def _read(self) -> Results | None:
        path = self._session.options.report_dir / "results.json"
        return load(path) if path.is_file() else None

    def _before(self, session: Ended) -> Results | None:
        """What to merge into. What is damaged by now was read when the session began."""
        with suppress(HilError):
            return beside(self._earlier, self._read(), session)
        return self._earlier

    def _gone(self, files: set[str]) -> frozenset[str]:
        """Tests that are no more: their file is not, or all of it was collected. Those of this plan do not count."""
        known = {case.id for run in self._earlier.runs for case in run.tests} if self._earlier else set()
        whole = set() if self._broken or narrowed(self._config) else files
        return frozenset(
            test
            for test in known
            if (file := test.partition("::")[0]) in whole or not (self._config.rootpath / file).exists()
        )


def _copies(plan: Plan, worker: str) -> dict[str, Planned]:
    return {nodeid: replace(test, copy=f"{worker} {test.copy}".strip()) for nodeid, test in plan.tests.items()}


def _report(planned: Planned, attempt: int, report: pytest.TestReport) -> Report:
    outcome = "xfailed" if report.skipped and hasattr(report, "wasxfail") else str(report.outcome)
    measured = report.__dict__.get(MEASURED, {})
    return Report(
        planned=planned,
        attempt=attempt,
        when=str(report.when),
        outcome=outcome,
        reason=None if report.passed else _reason(report),
        image=measured.get("image"),
        measured=measured.get("parts", ()),
        log=measured.get("log", ""),
        infrastructure=bool(getattr(report, INFRASTRUCTURE, False)),
    )


def _reason(report: pytest.TestReport) -> str:
    """Why it failed or was skipped, in a few lines that are safe to show."""
    longrepr: Any = report.longrepr
    crash = getattr(longrepr, "reprcrash", None)
    text = getattr(report, "wasxfail", None) or (
        crash.message if crash else longrepr[2] if isinstance(longrepr, tuple) else str(longrepr)
    )
    text = re.sub(r"^(AssertionError|Skipped|Failed): ", "", text).partition("\nassert ")[0].strip()
    lines = ["".join(c if c.isprintable() else "?" for c in line) for line in text.splitlines()]
    return "\n".join(line[:REASON_COLUMNS] for line in lines[:REASON_LINES])

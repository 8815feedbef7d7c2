"""Collects what tests report, from all pytest-xdist workers too, and publishes it when the session ends."""

from __future__ import annotations

import os
import re
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from _pytest.junitxml import xml_key  # the only way to tell pytest's own plugin where its file has gone

from harness.errors import HilError
from harness.files import write_text
from harness.planner import FOLDER, Plan, Planner, read_plans
from harness.report.publish import Published, publish
from harness.report.summary import summary_lines
from harness.results import baseline, environment
from harness.results.judge import judge
from harness.results.merge import Planned, Report, merge, unreported
from harness.results.merge import Session as Ended
from harness.results.model import Results, load
from harness.session import Session

# An attribute of reports, because those are what pytest-xdist carries from its workers.
MEASURED = "hil_measured"
REASON_LINES = 12
REASON_COLUMNS = 400


class Reporter:
    """Lives in the controlling process only."""

    def __init__(self, config: pytest.Config, session: Session, planner: Planner, warned: list[str]) -> None:
        options = session.options
        self._config = config
        self._session = session
        self._planner = planner
        self._warned = warned
        self._reports: list[tuple[str, pytest.TestReport]] = []
        self._broken: dict[str, None] = {}
        self._files: set[str] = set()
        self._baseline: Results | None = None
        if options.baseline_dir is not None and not options.update_baseline:
            self._baseline = baseline.read(options.baseline_dir)
        self._published: Published | None = None
        self._error: HilError | None = None
        # pytest writes its XML in place, and half of it where the disk is full: it gets another place to begin with.
        self._scratch = tempfile.TemporaryDirectory(prefix="hil-")
        self._plans = Path(self._scratch.name) / "plans"
        self._junit = Path(config.option.xmlpath or options.report_dir / "junit.xml")
        config.option.xmlpath = str(Path(self._scratch.name) / "junit.xml")

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell a pytest-xdist worker where to leave its plan."""
        node.workerinput[FOLDER] = str(self._plans)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A file that cannot be collected may hold any test."""
        if report.failed:
            self._broken[report.nodeid] = None

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the report until the plan is known."""
        node = getattr(report, "node", None)
        self._reports.append((node.gateway.id if node is not None else "", report))

    @pytest.hookimpl(trylast=True)  # when pytest has written its XML
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write the reports. What is no pass fails the session, unless it was left out on purpose."""
        junit = self._config.stash[xml_key]
        written, junit.logfile = Path(junit.logfile), str(self._junit)
        options = self._session.options
        ended = self._ended()
        if not ended.plan or self._config.option.collectonly:
            junit.logfile = "none: no test of firmware was to run"
            return
        try:
            write_text(self._junit, written.read_text(encoding="utf-8"))
            earlier = self._earlier()
            results = merge(earlier, replace(ended, gone=self._gone(earlier)))
            comparison = baseline.compare(results, self._baseline) if self._baseline else None
            results = judge(results, comparison)
            update = None
            if options.update_baseline and options.baseline_dir is not None:
                update = baseline.update(results, options.baseline_dir)
            self._published = publish(results, options.report_dir, comparison, update)
        except HilError as error:
            self._error = error
        failed = self._published is not None and any(
            run.verdict == "fail" and run.current for run in self._published.results.runs
        )
        if self._error or failed or unreported(ended):
            session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """The table of figures and where the reports are."""
        if self._published:
            terminalreporter.section("hardware in the loop")
            for line in [*summary_lines(self._published), *self._warned]:
                terminalreporter.write_line(line)
            files = (self._published.report, self._published.results_file, self._junit)
            report, figures, junit = (os.path.relpath(file, self._config.invocation_params.dir) for file in files)
            terminalreporter.write_line(f"report: {report} (figures: {figures}, JUnit: {junit})")
        if self._error:
            terminalreporter.write_line(f"ERROR: {self._error}", red=True)

    def _ended(self) -> Ended:
        plans = read_plans(self._plans) or {"": self._planner.plan}
        planned = {worker: _copies(plan, worker) if self._each else plan.tests for worker, plan in plans.items()}
        anywhere = {nodeid: test for tests in planned.values() for nodeid, test in tests.items()}
        self._files = set().union(*(plan.files for plan in plans.values()))
        tries: Counter[tuple[tuple[str, ...], str]] = Counter()
        reports = []
        for worker, report in self._reports:
            test = planned.get(worker, {}).get(report.nodeid) or anywhere.get(report.nodeid)
            if test is None:
                continue
            key = (test.case, test.copy)
            tries[key] += report.when == "setup" or not tries[key]
            reports.append(_report(test, tries[key], report))
        git = environment.git(self._config.rootpath)
        every = {(test.case, test.copy): test for tests in planned.values() for test in tests.values()}
        return Ended(
            created=environment.created(),
            code=environment.code(git),
            git=git,
            host=environment.host(),
            toolchain=self._session.toolchain,
            plan=list(every.values()),
            reports=reports,
            gaps=[*(f"{file} could not be collected" for file in self._broken), *narrowed(self._config)],
        )

    @property
    def _each(self) -> bool:
        return bool(self._config.getoption("dist", "no") == "each")

    def _earlier(self) -> Results | None:
        path = self._session.options.report_dir / "results.json"
        return load(path) if path.is_file() else None

    def _gone(self, earlier: Results | None) -> frozenset[str]:
        """Tests that are no more: their file is not, or all of it was collected. Those of this plan do not count."""
        known = {case.id for run in earlier.runs for case in run.tests} if earlier else set()
        whole = set() if narrowed(self._config) or self._broken else self._files
        return frozenset(
            test
            for test in known
            if (file := test.partition("::")[0]) in whole or not (self._config.rootpath / file).exists()
        )


def narrowed(config: pytest.Config) -> list[str]:
    """Why this session has not even collected the whole suite: the suite is what `testpaths` names, if anything."""
    if config.getoption("lf", False) and config.cache is not None and config.cache.get("cache/lastfailed", {}):
        return ["only files with earlier failures were collected (--lf)"]
    if config.args_source == pytest.Config.ArgsSource.TESTPATHS:
        return []
    named = [argument.partition("::") for argument in config.args]
    if any(separator for _, separator, _ in named):
        return ["only some tests were named"]
    paths = [(config.invocation_params.dir / path).resolve() for path, _, _ in named]
    base = config.inipath.parent if config.inipath else config.rootpath
    suite = [path.resolve() for pattern in config.getini("testpaths") for path in base.glob(pattern)]
    left_out = [path for path in suite if not any(path.is_relative_to(named) for named in paths)]
    return [f"{path.relative_to(base)} was not collected" for path in left_out]


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

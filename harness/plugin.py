"""The pytest plugin: options, markers, parametrisation, and the reports at the end."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager

import pytest

from harness.errors import HilError
from harness.files import probe_folder
from harness.fixtures import CONTRIBUTIONS, SESSION, UART_LOG, run_key
from harness.options import Options, add_options, resolve
from harness.report import environment
from harness.report.aggregate import Aggregator, Contribution
from harness.report.publish import Published, publish
from harness.report.results import Results
from harness.report.summary import summary_lines
from harness.session import Build, Session

pytest_plugins = ["harness.fixtures"]

OPTIONS = pytest.StashKey[Options]()

NO_BOARD = "needs a board: run `pytest --board=emulated`"
MARKERS = (
    "hil: runs firmware on a board (set by itself on every test that uses the firmware)",
    "hil_model(*names, variants=(), engines=()): run only with these models, variants and engines",
)
TAIL_LINES = 20
# An attribute of reports, because those are what pytest-xdist carries from its workers.
MEASURED = "hil_contributions"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options."""
    add_options(parser)


@pytest.hookimpl(tryfirst=True)  # before pytest's own JUnit plugin looks for its path
def pytest_configure(config: pytest.Config) -> None:
    """Resolve the options and check everything that they name, before a single test is collected."""
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)
    options = config.stash[OPTIONS] = resolve(config)
    if options.board is None:
        return
    with _usage_errors():
        config.stash[SESSION] = Session(options)
        if _is_controller(config):
            probe_folder(options.report_dir)
            config.option.xmlpath = config.option.xmlpath or str(options.report_dir / "junit.xml")
            config.pluginmanager.register(Reporter(config, config.stash[SESSION]))


def pytest_report_header(config: pytest.Config) -> list[str]:
    """What runs where."""
    session = config.stash.get(SESSION, None)
    return session.header() if session else ["hil: no board (--board=emulated runs the tests that need one)"]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run tests of firmware once for each build, and tests of recordings also for each file."""
    if "firmware" not in metafunc.fixturenames:
        return
    by_file = "recording_file" in metafunc.fixturenames
    names = ["firmware", "recording_file"] if by_file else ["firmware"]
    session = metafunc.config.stash.get(SESSION, None)
    if session is None:
        nothing = pytest.param(*[None] * len(names), id="no-board", marks=pytest.mark.skip(reason=NO_BOARD))
        metafunc.parametrize(names, [nothing], indirect=True)
        return
    with _usage_errors():
        cases = [
            pytest.param(build, *files, id="-".join([build.name, *files]))
            for build in _marked_builds(metafunc.definition, session)
            for files in ([[file] for file in session.recordings(build.model)] if by_file else [[]])
        ]
    metafunc.parametrize(names, cases, indirect=True, scope=None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs a board, so that `-m hil` and `-m "not hil"` work."""
    for item in items:
        if "firmware" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.hil)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Put what was measured on the report; of a HilError only its message, and the tail of the UART log below it."""
    report = yield
    if call.excinfo is not None and isinstance(call.excinfo.value, HilError):
        report.longrepr = str(call.excinfo.value)
    session = item.config.stash.get(SESSION, None)
    build = getattr(item, "callspec", None) and item.callspec.params.get("firmware")  # type: ignore[attr-defined]
    if session is None or not isinstance(build, Build):
        return report
    contributions = item.stash.get(CONTRIBUTIONS, []) if call.when == "call" else []
    if report.failed:
        log = item.stash.get(UART_LOG, None)
        if log is not None and log.is_file():
            tail = log.read_text(encoding="utf-8", errors="replace").splitlines()[-TAIL_LINES:]
            report.sections.append((f"UART log, the last lines of {log}", "\n".join(tail)))
        contributions = [*contributions, Contribution(run=run_key(session, build), failure=item.nodeid)]
    report.__dict__[MEASURED] = contributions
    return report


class Reporter:
    """Collects what tests measured, from all pytest-xdist workers too, and publishes it when the session ends."""

    def __init__(self, config: pytest.Config, session: Session) -> None:
        self._config = config
        self._session = session
        self._aggregator = Aggregator()
        self._published: Published | None = None
        self._error: HilError | None = None

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take what a test measured from its report."""
        self._aggregator.contributions.extend(report.__dict__.get(MEASURED, []))

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write the reports. A regression against the baseline fails the session, and so does an unwritten report.

        An interrupted session has no verdict, so it leaves the reports of the one before as they are.
        """
        if not self._aggregator.contributions or session.exitstatus == pytest.ExitCode.INTERRUPTED:
            return
        results = Results(
            created=environment.created(),
            git=environment.git(self._config.rootpath),
            host=environment.host(),
            toolchain=self._session.toolchain,
            runs=self._aggregator.runs(),
        )
        try:
            self._published = publish(results, self._session.options, passed=session.testsfailed == 0)
        except HilError as error:
            self._error = error
        if self._error or (self._published and self._published.regressed):
            session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """The table of figures and where the reports are."""
        if self._published:
            terminalreporter.section("hardware in the loop")
            for line in summary_lines(self._published):
                terminalreporter.write_line(line)
            files = (self._published.report, self._published.results_file, self._config.option.xmlpath)
            report, figures, junit = (os.path.relpath(file, self._config.invocation_params.dir) for file in files)
            terminalreporter.write_line(f"report: {report} (figures: {figures}, JUnit: {junit})")
        if self._error:
            terminalreporter.write_line(f"ERROR: {self._error}", red=True)


def _marked_builds(definition: pytest.Item, session: Session) -> list[Build]:
    builds = session.builds
    for marker in definition.iter_markers("hil_model"):
        selected = {"variants": marker.kwargs.get("variants", ()), "engines": marker.kwargs.get("engines", ())}
        unknown = set(marker.kwargs) - set(selected)
        if unknown or not all(isinstance(value, tuple | list) for value in selected.values()):
            raise HilError(f"{definition.nodeid}: hil_model takes names, variants=(...) and engines=(...)")
        for name in marker.args:
            if name not in session.known_models:
                raise HilError(f"{definition.nodeid}: hil_model names {name!r}, and models/ has no such model")
        builds = [
            build
            for build in builds
            if (not marker.args or build.model.name in marker.args)
            and (not selected["variants"] or build.variant.name in selected["variants"])
            and (not selected["engines"] or build.engine in selected["engines"])
        ]
    return builds


def _is_controller(config: pytest.Config) -> bool:
    return not hasattr(config, "workerinput")


@contextmanager
def _usage_errors() -> Iterator[None]:
    try:
        yield
    except HilError as error:
        raise pytest.UsageError(str(error)) from error

"""The pytest plugin: options, markers, parametrization, and the reports at the end."""

from __future__ import annotations

import warnings
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tflm_hil.errors import DeviceError, HilError
from tflm_hil.files import probe_folder
from tflm_hil.lab.dut import Build, Firmware
from tflm_hil.lab.session import Session
from tflm_hil.pytest_plugin import fixtures
from tflm_hil.pytest_plugin.fixtures import CONTRIBUTIONS, SESSION, STIMULI, UART_LOG
from tflm_hil.pytest_plugin.interruption import Interruption
from tflm_hil.pytest_plugin.options import TAKEN, add_options, add_short_options, board_flag, resolve
from tflm_hil.pytest_plugin.planner import Planner, build_of
from tflm_hil.pytest_plugin.reporter import MEASURED, Reporter

WARNED = pytest.StashKey[list[str]]()
# Firmware that cannot be built: the first test that it failed, and why.
REFUSED = pytest.StashKey[dict[str, tuple[str, str]]]()

NO_MODEL = "no model here is of the kind that it tests"
WINDOW_FIXTURES = {"recordings", "recording_file", "chain"}
TENSOR_FIXTURES = {"stimuli"}
NO_TRACE = "builds debug images: add --hil-trace"
TRACE_FIXTURES = {"every_operator"}
MARKERS = (
    "hil: runs firmware on a board (set by itself on every test that uses the firmware)",
    "hil_model(*names, variants=(), engines=()): run only with these models, variants and engines",
)
TAIL_LINES = 20


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options."""
    add_options(parser)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config, parser: pytest.Parser) -> Generator[None, None, None]:
    """Declare short options when all others have declared theirs."""
    yield
    add_short_options(parser, early_config)


@pytest.hookimpl(tryfirst=True)  # before pytest's own JUnit plugin looks for its path
def pytest_configure(config: pytest.Config) -> None:
    """Resolve the options and check everything that they name, before a single test is collected."""
    # Not as `pytest_plugins`: pytest would want to rewrite the asserts of a module that is imported already, and warn.
    config.pluginmanager.register(fixtures, fixtures.__name__)
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)
    config.stash[REFUSED] = {}
    options = resolve(config)
    if options is None:
        return
    # What is suspicious in recordings is told in the head and at the end, not with a line of source, once a worker.
    with _usage_errors(), warnings.catch_warnings(record=True) as caught:
        config.stash[SESSION] = Session(options)
    config.stash[WARNED] = [f"hil: warning: {warning.message}" for warning in caught]
    with _usage_errors():
        interruption = Interruption()
        config.add_cleanup(interruption.restore)
        planner = Planner(config, config.stash[SESSION])
        config.pluginmanager.register(planner)
        if _is_controller(config):
            probe_folder(options.report_dir)
            config.pluginmanager.register(
                Reporter(config, config.stash[SESSION], planner, interruption, config.stash[WARNED])
            )


def pytest_report_header(config: pytest.Config) -> list[str]:
    """What runs where."""
    session = config.stash.get(SESSION, None)
    if session:
        taken = config.stash.get(TAKEN, [])
        return [
            *session.header(),
            *config.stash[WARNED],
            *(f"hil: {flag} belongs to another plugin; use --hil-{flag[2:]}" for flag in taken),
        ]
    return []


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run tests of firmware once for each build, and tests of recordings also for each file."""
    if "firmware" not in metafunc.fixturenames:
        return None
    names = ["firmware", *{"feed"}.intersection(metafunc.fixturenames)]
    session = metafunc.config.stash.get(SESSION, None)

    def nothing(why: str, reason: str) -> None:
        case = pytest.param(*[None] * len(names), id=why, marks=pytest.mark.skip(reason=reason))
        metafunc.parametrize(names, [case], indirect=True)

    if session is None:
        return nothing("no-board", f"needs a board: run `pytest {board_flag(metafunc.config)}=emulated`")
    if TRACE_FIXTURES.intersection(metafunc.fixturenames) and not session.options.trace:
        return nothing("no-trace", NO_TRACE)
    try:
        cases = [
            pytest.param(build, *feed, id="-".join([build.name, *feed]), marks=_left_out(build))
            for build in _marked_builds(metafunc.definition, session)
            if _is_for(build, metafunc.fixturenames)
            for feed in ([[name] for name in _feeds(build, session)] if "feed" in names else [[]])
        ]
    except HilError as error:
        raise pytest.Collector.CollectError(str(error)) from None
    if not cases:
        return nothing("no-model", NO_MODEL)
    metafunc.parametrize(names, cases, indirect=True, scope=None)
    return None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs a board, so that `-m hil` and `-m "not hil"` work."""
    for item in items:
        if "firmware" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.hil)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Put what was measured on the report. A HilError is shown by its message alone."""
    report = yield
    if call.excinfo is not None and isinstance(call.excinfo.value, HilError):
        report.longrepr = str(call.excinfo.value)
    build = build_of(item)
    if build is None:
        return report
    error = call.excinfo.value if call.excinfo is not None else None
    if report.failed and (log := item.stash.get(UART_LOG, None)) is not None and log.is_file():
        report.sections.append(_uart_log(log, error))
    if call.when == "setup" and isinstance(error, HilError) and "firmware" not in getattr(item, "funcargs", {}):
        item.config.stash[REFUSED].setdefault(build.name, (item.nodeid, str(error).partition("\n")[0]))
    image = getattr(item, "funcargs", {}).get("firmware")
    report.__dict__[MEASURED] = {
        "image": image.image.elf_sha256 if isinstance(image, Firmware) else None,
        "parts": item.stash.get(CONTRIBUTIONS, []) if call.when == "call" else [],
    }
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Forget what an earlier try measured. What cannot be built fails the first test that needs it, not all of them."""
    item.stash[CONTRIBUTIONS] = []
    build = build_of(item)
    if build is not None and build.name in item.config.stash[REFUSED]:
        first, reason = item.config.stash[REFUSED][build.name]
        if item.nodeid != first:
            pytest.skip(f"failed already in {first}: {reason}")


def _uart_log(log: Path, error: BaseException | None) -> tuple[str, str]:
    """What to show of it: its end where the device misbehaved, otherwise only where it is."""
    if not isinstance(error, DeviceError):
        return "UART log", str(log)
    tail = log.read_text(encoding="utf-8", errors="replace").splitlines()[-TAIL_LINES:]
    return f"UART log, the last lines of {log}", "\n".join(tail)


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


def _left_out(build: Build) -> list[pytest.MarkDecorator]:
    reason = build.skipped
    return [] if reason is None else [pytest.mark.skip(reason=f"left out by model.toml: {reason}")]


def _is_for(build: Build, fixtures: list[str]) -> bool:
    return not (TENSOR_FIXTURES if build.model.windowed else WINDOW_FIXTURES).intersection(fixtures)


def _feeds(build: Build, session: Session) -> list[str]:
    return list(session.recordings(build.model)) if build.model.windowed else [STIMULI]


def _is_controller(config: pytest.Config) -> bool:
    return not hasattr(config, "workerinput")


@contextmanager
def _usage_errors() -> Iterator[None]:
    try:
        yield
    except HilError as error:
        raise pytest.UsageError(str(error)) from None

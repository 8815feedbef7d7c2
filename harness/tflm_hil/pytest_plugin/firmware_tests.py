"""Tests of firmware: run once for each image, prepared, and reported. Other tests are left alone."""

from __future__ import annotations

from collections.abc import Generator
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from tflm_hil.device.uart_log import ending
from tflm_hil.errors import DeviceError, HilError
from tflm_hil.lab.build import Build, Firmware
from tflm_hil.lab.losses import LostError
from tflm_hil.lab.pool import NoBoardError
from tflm_hil.lab.session import Session
from tflm_hil.pytest_plugin.fixtures import UART_LOG
from tflm_hil.pytest_plugin.measuring import LOST, feeds
from tflm_hil.pytest_plugin.outcome import INFRASTRUCTURE
from tflm_hil.pytest_plugin.ownership import own_fixtures
from tflm_hil.pytest_plugin.planner import build_of
from tflm_hil.pytest_plugin.recorder import CONTRIBUTIONS, LEFT_OUT, MEASURED, DoesNotApply

NO_MODEL = "no model here is of the kind that it tests"
WINDOW_FIXTURES = {"recordings", "recording_file", "chain"}
TENSOR_FIXTURES = {"stimuli"}
NO_TRACE = "builds debug images: add --hil-trace"
TRACE_FIXTURES = {"every_operator"}
NO_PROFILE = "builds profile images: add --hil-profile"
PROFILE_FIXTURES = {"operator_profile"}
NO_SENSOR = "no target here has a sensor that the firmware reads for a model"
SENSOR_FIXTURES = {"fed_sensor"}
TAIL_LINES = 20


class FirmwareTests:
    """Registered if a board is given, in every process that runs tests."""

    def __init__(self, session: Session) -> None:
        self._session = session
        # Firmware that cannot be built, or that no board is left for: the first test that it failed, and why.
        self._refused: dict[str, tuple[str, str]] = {}

    @pytest.hookimpl(trylast=True)  # after the test, its module and its conftest.py have parametrized what they want
    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Run tests of firmware once for each build, and tests of recordings also for each file.

        If there are several emulators, tests that need the board run on each.
        """
        own = own_fixtures(metafunc.definition)
        given = {name for call in metafunc._calls for name in call.params}
        boards = self._session.boards if "board_pool" in own - given else ()
        self._parametrize_firmware(metafunc, own, given)
        if len(boards) > 1:
            metafunc.parametrize("board_pool", boards, ids=[board.kind for board in boards], indirect=True)

    def _parametrize_firmware(self, metafunc: pytest.Metafunc, own: set[str], given: set[str]) -> None:
        names = [name for name in ("firmware", "feed") if name in own - given]
        if "firmware" not in names:
            return None

        def nothing(why: str, reason: str) -> None:
            case = pytest.param(*[None] * len(names), id=why, marks=pytest.mark.skip(reason=reason))
            metafunc.parametrize(names, [case], indirect=True)

        if TRACE_FIXTURES & own and not self._session.options.trace:
            return nothing("no-trace", NO_TRACE)
        if PROFILE_FIXTURES & own and not self._session.options.profile:
            return nothing("no-profile", NO_PROFILE)
        sensed = bool(SENSOR_FIXTURES & own)
        try:
            builds = [
                build
                for build in _marked_builds(metafunc.definition, self._session)
                if _is_for(build, own) and (not sensed or self._session.senses(build))
            ]
            fed = {build.name: feeds(self._session, build) for build in builds} if "feed" in names else {}
        except HilError as error:
            raise pytest.Collector.CollectError(str(error)) from None
        if not builds or ("feed" in names and not any(fed.values())):
            return nothing("no-sensor", NO_SENSOR) if sensed else nothing("no-model", NO_MODEL)
        cases = [pytest.param(build, id=build.name, marks=_left_out(build)) for build in builds]
        metafunc.parametrize("firmware", cases, indirect=True)
        if fed:
            # By itself: together, both would have the narrower scope, and fixtures that request firmware would be set
            # up for each feed anew. The pairs that do not exist are taken out again.
            metafunc.parametrize("feed", list(dict.fromkeys(chain.from_iterable(fed.values()))), indirect=True)
            calls: list[Any] = metafunc._calls
            calls[:] = [call for call in calls if call.params["feed"] in fed[call.params["firmware"].name]]
        return None

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Forget what an earlier try measured. Firmware that nothing can be done with fails one test."""
        build = build_of(item)
        if build is None:
            return
        item.stash[CONTRIBUTIONS], item.stash[LOST] = [], []
        first, reason = self._refused.get(build.name, (item.nodeid, ""))
        if item.nodeid != first:
            raise DoesNotApply(f"failed already in {first}: {reason}")

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        """Fail a test for which recordings were lost, when it has looked at the others."""
        result = yield
        if losses := item.stash.get(LOST, []):
            raise LostError(losses, others=True)
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Put what was measured, and who is to blame, on the report. A HilError is shown by its message alone."""
        report = yield
        error = call.excinfo.value if call.excinfo is not None else None
        if isinstance(error, HilError) and own_fixtures(item):
            report.longrepr = str(error)
            report.__dict__[INFRASTRUCTURE] = error.infrastructure
        build = build_of(item)
        if build is None:
            return report
        if report.failed and (losses := item.stash.get(LOST, [])) and not isinstance(error, LostError):
            report.sections.append(("lost", str(LostError(losses, others=True))))
        if report.failed and (log := item.stash.get(UART_LOG, None)) is not None and log.is_file():
            report.sections.append(_uart_log(log, error))
        skipped = isinstance(error, pytest.skip.Exception) and not isinstance(error, DoesNotApply)
        report.__dict__[LEFT_OUT] = skipped and call.when == "setup"
        image = getattr(item, "funcargs", {}).get("firmware")
        unbuilt = call.when == "setup" and isinstance(error, HilError) and image is None
        if unbuilt or isinstance(error, NoBoardError):
            self._refused.setdefault(build.name, (item.nodeid, str(error).partition("\n")[0]))
        report.__dict__[MEASURED] = {
            "image": image.image.elf_sha256 if isinstance(image, Firmware) else None,
            "parts": item.stash.get(CONTRIBUTIONS, []) if call.when == "call" else [],
            "log": _log_end(item.stash.get(UART_LOG, None), error) if report.failed else "",
        }
        return report


def _log_end(log: Path | None, error: BaseException | None) -> str:
    """The end of a UART log as results keep it: of what an error quotes, if the log went on after it."""
    if isinstance(error, LostError):
        return ending(error.log_tail)
    return ending(_lines(log)) if log is not None and log.is_file() else ""


def _lines(log: Path) -> list[str]:
    return log.read_text(encoding="utf-8", errors="replace").splitlines()


def _uart_log(log: Path, error: BaseException | None) -> tuple[str, str]:
    """What to show of it: its end if the device misbehaved, otherwise only where it is."""
    if not isinstance(error, DeviceError):
        return "UART log", str(log)
    if isinstance(error, LostError):  # The log went on.
        return f"UART log, lines of {log}", "\n".join(error.log_tail)
    return f"UART log, the last lines of {log}", "\n".join(_lines(log)[-TAIL_LINES:])


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


def _is_for(build: Build, own: set[str]) -> bool:
    return not (TENSOR_FIXTURES if build.model.windowed else WINDOW_FIXTURES) & own

"""Tests that take minutes are marked `nightly` and run only where -m names that marker. None has a deadline."""

from __future__ import annotations

import signal

import pytest
import support.once  # noqa: F401  # before workers start, which share its folder

SUITE = "test_hil.py"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if "nightly" not in config.getoption("markexpr"):
        nightly = [item for item in items if item.get_closest_marker("nightly")]
        config.hook.pytest_deselected(items=nightly)
        items[:] = [item for item in items if item not in nightly]
    if any(item.path.name != SUITE for item in items):
        from support import preload  # noqa: F401


@pytest.fixture(autouse=True)
def _no_baselines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hold what tests measure against nothing but what they say themselves."""
    for variable in ("HIL_BASELINE", "HIL_FAIL_ON", "HIL_STRICT"):
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture(autouse=True)
def _no_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let tests that run pytest see what people see: on a CI server, pytest says more, and the plugin writes more."""
    for variable in ("CI", "BUILD_NUMBER", "GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture(autouse=True)
def _no_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out what this project has in its own ini file: it takes another image."""
    monkeypatch.setenv("HIL_PROFILE", "false")


@pytest.fixture(autouse=True)
def _no_history(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what tests measure out of the history of this project."""
    monkeypatch.setenv("HIL_HISTORY", "false")


def pytest_configure() -> None:
    """Set up signals.

    A shell has its background jobs ignore SIGINT, nohup has its program ignore SIGHUP, and what these start ignores
    them too: the tests that send one need it.
    """
    for number, handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, handler)


def pytest_collectstart(collector: pytest.Collector) -> None:
    """Set up hypothesis for all modules but the suite, which has no use for it: importing it takes a while.

    An example takes as long as a loaded machine makes it take, so there is no deadline. The same commit tries the same
    examples; only nightly tests draw new ones.
    """
    if not isinstance(collector, pytest.Module) or collector.path.name == SUITE:
        return
    import hypothesis

    nightly = "nightly" in collector.config.getoption("markexpr")
    hypothesis.settings.register_profile("tflm-hil", deadline=None, derandomize=not nightly)
    hypothesis.settings.load_profile("tflm-hil")

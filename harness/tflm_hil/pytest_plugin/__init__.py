"""The pytest plugin.

What it does in every project is here, and imports nothing but the standard library and pytest: it declares its
options, offers its fixtures, and marks the tests that use them. `startup` does the rest if a board is given.
"""

from __future__ import annotations

from collections.abc import Generator

import pytest

from tflm_hil.pytest_plugin import fixtures, hookspecs, options
from tflm_hil.pytest_plugin.ownership import offer_fixtures, own_fixtures

MARKERS = (
    "hil: runs firmware on a board; the plugin sets it on every test that uses its fixtures",
    "hil_model(*names, variants=(), engines=()): run only with these models, variants and engines",
)


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Declare what other plugins may implement."""
    pluginmanager.add_hookspecs(hookspecs)


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    """Declare the options."""
    options.add_options(parser)
    if any(str(name).endswith("conftest.py") for name, _ in pluginmanager.list_name_plugin()):
        # Loaded by a conftest.py: `pytest_load_initial_conftests` has been called already.
        config = pluginmanager.get_plugin("pytestconfig")
        assert config is not None
        options.add_short_options(parser, config)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config, parser: pytest.Parser) -> Generator[None, None, None]:
    """Declare the short options after everybody else has declared theirs."""
    yield
    options.add_short_options(parser, early_config)


@pytest.hookimpl(wrapper=True)  # before pytest-xdist chooses
def pytest_cmdline_main(config: pytest.Config) -> Generator[None, int | None, int | None]:
    """Share out tests among workers as is best with boards, unless the user has chosen a way."""
    options.choose_scheduler(config)
    return (yield)


@pytest.hookimpl(tryfirst=True)  # before pytest's own JUnit plugin looks for its path
def pytest_configure(config: pytest.Config) -> None:
    """Resolve the options and check everything that they name, before a single test is collected."""
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)
    try:
        resolved = options.resolve(config)
        if resolved is not None:
            from tflm_hil.pytest_plugin import startup

            startup.start(config, resolved)
    except KeyboardInterrupt:
        # So early, pytest would end without a word, or capture it.
        if capture := config.pluginmanager.get_plugin("capturemanager"):
            capture.suspend_global_capture()
        pytest.exit("hil: interrupted", returncode=pytest.ExitCode.INTERRUPTED)


@pytest.hookimpl(tryfirst=True)  # before pytest looks for fixtures
def pytest_sessionstart(session: pytest.Session) -> None:
    """Offer the fixtures."""
    offer_fixtures(session.config)


@pytest.hookimpl(tryfirst=True)  # before -m chooses
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what needs a board, so that `-m hil` and `-m "not hil"` work, and skip it if there is none."""
    reason = None if fixtures.SESSION in config.stash else options.no_board(config)
    for item in items:
        if own_fixtures(item):
            item.add_marker(pytest.mark.hil)
            if reason is not None:
                item.add_marker(pytest.mark.skip(reason=reason))

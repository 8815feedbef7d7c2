"""What the plugin does if a board is given: check all that the options name, and register the plugins of the run."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tflm_hil.errors import HilError
from tflm_hil.files import probe_folder
from tflm_hil.lab.options import Options
from tflm_hil.lab.session import Session
from tflm_hil.pytest_plugin import options as declared
from tflm_hil.pytest_plugin.coverage import Coverage
from tflm_hil.pytest_plugin.firmware_tests import FirmwareTests
from tflm_hil.pytest_plugin.fixtures import SESSION
from tflm_hil.pytest_plugin.interruption import Interruption
from tflm_hil.pytest_plugin.measured_once import MeasuredOnce
from tflm_hil.pytest_plugin.order import Order
from tflm_hil.pytest_plugin.ownership import taken_fixtures
from tflm_hil.pytest_plugin.planner import Planner
from tflm_hil.pytest_plugin.sharing import Sharing, check_workers


def start(config: pytest.Config, options: Options) -> None:
    """Make the session of `options`. Raises pytest.UsageError for anything that does not exist or cannot be used."""
    with _usage_errors():
        # Suspicious recordings are told in the header and at the end, not with a line of source, once for each worker.
        with warnings.catch_warnings(record=True, action="always", category=UserWarning) as caught:
            session = config.stash[SESSION] = Session(options)
        check_workers(config, session.boards)
        warned = [f"hil: warning: {warning.message}" for warning in caught]
        interruption = Interruption()
        config.add_cleanup(interruption.restore)
        planner = Planner(config, session)
        config.pluginmanager.register(planner)
        config.pluginmanager.register(FirmwareTests(session))
        config.pluginmanager.register(Order())
        sharing = Sharing(config)
        config.pluginmanager.register(sharing)
        if options.coverage:
            config.pluginmanager.register(Coverage(config, session))
        if not hasattr(config, "workerinput"):
            # Imports what draws reports, which takes a while and a worker has no use for.
            from tflm_hil.pytest_plugin.reporter import Reporter

            probe_folder(options.report_dir)
            if options.traffic_dir is not None:
                probe_folder(options.traffic_dir)
            config.pluginmanager.register(MeasuredOnce(config))
            config.pluginmanager.register(Reporter(config, session, planner, interruption, warned, sharing))
            config.pluginmanager.register(_Header(session, warned))


class _Header:
    def __init__(self, session: Session, warned: list[str]) -> None:
        self._session = session
        self._warned = warned
        self._taken: list[str] = []

    @pytest.hookimpl(trylast=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Look for the fixtures of others; pytest writes the header later."""
        self._taken = taken_fixtures(session)

    def pytest_report_header(self, config: pytest.Config) -> list[str]:
        """What runs where."""
        taken = [f"hil: fixture {name} belongs to another plugin, and tests get that one" for name in self._taken]
        return [*self._session.header(), *self._warned, *declared.header(config), *taken]


@contextmanager
def _usage_errors() -> Iterator[None]:
    try:
        yield
    except HilError as error:
        raise pytest.UsageError(str(error)) from None

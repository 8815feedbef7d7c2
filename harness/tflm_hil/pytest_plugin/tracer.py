"""Naming the operator that goes wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from tflm_hil.commands.sample import choose_sample
from tflm_hil.commands.trace import Trace, explain, trace
from tflm_hil.lab.build import Firmware
from tflm_hil.lab.pool import BoardPool
from tflm_hil.lab.session import Session
from tflm_hil.pytest_plugin.fixtures import UART_LOG, uart_log
from tflm_hil.pytest_plugin.progress_line import ProgressLine
from tflm_hil.pytest_plugin.recorder import Recorder

EXPLAINED = pytest.StashKey[dict[tuple[str | None, str], list[str]]]()


class Tracer:
    """Names the operator that goes wrong.

    It looks once for each firmware on each board: every window of it goes the same way.
    """

    def __init__(
        self, request: pytest.FixtureRequest, session: Session, boards: BoardPool, firmware: Firmware, record: Recorder
    ) -> None:
        self._request = request
        self._session = session
        self._boards = boards
        self._firmware = firmware
        self._record = record

    def explain(self, sample: str, window: int = 0) -> list[str]:
        """Lines that say which operator is the first to differ on this recording's window, or this stimulus."""
        explained = self._request.config.stash.setdefault(EXPLAINED, {})
        key = self._boards.emulator, self._firmware.name
        if key not in explained:
            chosen = choose_sample(self._session, self._firmware, sample, window)
            with ProgressLine(self._request.config) as line:
                explained[key] = explain(
                    self._session, self._boards.first(), self._firmware, chosen, self._log, line.stream
                )
        self._record.trace(explained[key][0])
        return explained[key]

    def trace(self) -> Trace:
        """Every operator on the first window of the first recording, or the first stimulus. Raises HilError."""
        chosen = choose_sample(self._session, self._firmware)
        with ProgressLine(self._request.config) as line:
            found = trace(self._session, self._boards.first(), self._firmware, chosen, self._log, line.stream, line.say)
        self._record.trace(str(found))
        return found

    @property
    def _log(self) -> Path:
        log = uart_log(self._session, self._request.node.nodeid, "trace.log")
        self._request.node.stash[UART_LOG] = log
        return log

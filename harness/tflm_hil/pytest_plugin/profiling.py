"""Measuring the operators of one inference."""

from __future__ import annotations

import pytest

from tflm_hil.commands.profile import NoProfileError, profile
from tflm_hil.commands.sample import choose_sample
from tflm_hil.lab.build import Firmware
from tflm_hil.lab.pool import BoardPool
from tflm_hil.lab.session import Session
from tflm_hil.pytest_plugin.fixtures import UART_LOG, uart_log
from tflm_hil.pytest_plugin.progress_line import ProgressLine
from tflm_hil.pytest_plugin.recorder import DoesNotApply
from tflm_hil.results.groups import ProfileFigures


def profiled(request: pytest.FixtureRequest, session: Session, boards: BoardPool, firmware: Firmware) -> ProfileFigures:
    """The operators on the first window of the first recording, or the first stimulus.

    Skips the test where nothing can measure them. Raises HilError.
    """
    log = request.node.stash[UART_LOG] = uart_log(session, request.node.nodeid, "profile.log")
    sample = choose_sample(session, firmware)
    with ProgressLine(request.config) as line:
        try:
            return profile(session, boards.first(), firmware, sample, log, line.stream, line.say)
        except NoProfileError as error:
            raise DoesNotApply(str(error)) from None

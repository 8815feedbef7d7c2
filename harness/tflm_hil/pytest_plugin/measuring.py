"""What a device answers, measured once for all tests that look at it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tflm_hil.boards.board import Board
from tflm_hil.errors import HilError
from tflm_hil.lab.build import Build, Firmware
from tflm_hil.lab.dut import DeviceUnderTest
from tflm_hil.lab.measurement import Measurement, TensorMeasurement, together
from tflm_hil.lab.session import Session
from tflm_hil.pytest_plugin.fixtures import UART_LOG

AnyMeasurement = Measurement | TensorMeasurement
MEASUREMENTS = pytest.StashKey[dict[tuple[str | None, str, str], tuple[AnyMeasurement, Path]]]()
# What a model without windows is fed with; one with windows has the names of its files of recordings.
STIMULI = "stimuli"


def feeds(session: Session, build: Build) -> list[str]:
    """The names of all that a model is fed with."""
    return list(session.recordings(build.model)) if build.model.windowed else [STIMULI]


def checked_feed(name: object, session: Session, firmware: Firmware) -> str:
    """`name`, which a test may have been parametrized with. Raises HilError if there is no such feed."""
    names = feeds(session, firmware)
    if name not in names:
        raise HilError(f"feed: {firmware.model.name} is not fed with {name}; choose among {', '.join(names)}")
    return str(name)


def measured(
    request: pytest.FixtureRequest, session: Session, board: Board, firmware: Firmware, feed: str
) -> AnyMeasurement:
    """What the device on `board` answers to `feed`. The UART log of the test becomes that of the measurement."""
    key = (board.emulator, firmware.name, feed)
    measurements = request.config.stash.setdefault(MEASUREMENTS, {})
    if key not in measurements:
        device: DeviceUnderTest = request.getfixturevalue("device")
        answers: AnyMeasurement
        if firmware.model.windowed:
            answers = device.stream(session.recordings(firmware.model)[feed])
        else:
            answers = device.infer(request.getfixturevalue("stimuli"))
        measurements[key] = answers, request.node.stash[UART_LOG]
        request.config.hook.pytest_hil_measured(config=request.config, feed=feed, measurement=answers)
    answers, request.node.stash[UART_LOG] = measurements[key]
    return answers


def measured_whole(
    request: pytest.FixtureRequest, session: Session, board: Board, firmware: Firmware
) -> AnyMeasurement:
    """What the device on `board` answers to all that its model is fed with."""
    if not firmware.model.windowed:
        return measured(request, session, board, firmware, STIMULI)
    files = [measured(request, session, board, firmware, feed) for feed in feeds(session, firmware)]
    return together([file for file in files if isinstance(file, Measurement)])

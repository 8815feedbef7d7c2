"""What a device answers, measured once for all tests that look at it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from tflm_hil.errors import HilError
from tflm_hil.lab.build import Build, Firmware
from tflm_hil.lab.dut import DeviceUnderTest
from tflm_hil.lab.losses import Loss, LostError
from tflm_hil.lab.measurement import Measurement, TensorMeasurement, together
from tflm_hil.lab.pool import BoardPool
from tflm_hil.lab.session import Session
from tflm_hil.models.stimuli import Stimulus
from tflm_hil.pytest_plugin.fixtures import UART_LOG, uart_log
from tflm_hil.pytest_plugin.measured_once import Measured, measured_once
from tflm_hil.pytest_plugin.progress_line import ProgressLine
from tflm_hil.recordings import Recording

AnyMeasurement = Measurement | TensorMeasurement
LOST = pytest.StashKey[list[Loss]]()
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
    request: pytest.FixtureRequest, session: Session, boards: BoardPool, firmware: Firmware, feed: str
) -> AnyMeasurement:
    """What the device on `boards` answers to `feed`, and again to what it had not answered before.

    The UART log of the test becomes that of the measurement. Raises LostError if nothing at all was answered; otherwise
    what was lost fails the test when it has ended.
    """
    key = (boards.emulator, firmware.name, feed)
    measurements = request.config.stash.setdefault(MEASUREMENTS, {})
    if key not in measurements or measurements[key][0].lost:
        before = measurements[key][0] if key in measurements else None

        def measure() -> Measured:
            answers = _measure(request, session, boards, firmware, feed, before)
            if answers.lost:
                request.node.stash.setdefault(LOST, []).extend(answers.lost)
            else:
                request.config.hook.pytest_hil_measured(config=request.config, feed=feed, measurement=answers)
            return answers, request.node.stash[UART_LOG]

        measurements[key] = measured_once(request.config, key, measure) if boards.emulator else measure()
    answers, request.node.stash[UART_LOG] = measurements[key]
    return answers


def measured_whole(
    request: pytest.FixtureRequest, session: Session, boards: BoardPool, firmware: Firmware
) -> AnyMeasurement:
    """What the device on `boards` answers to all that its model is fed with."""
    if not firmware.model.windowed:
        return measured(request, session, boards, firmware, STIMULI)
    # Another worker that measures this firmware as well has begun with the first: the two meet in the middle.
    backwards = [measured(request, session, boards, firmware, feed) for feed in reversed(feeds(session, firmware))]
    return together([file for file in reversed(backwards) if isinstance(file, Measurement)])


def _measure(
    request: pytest.FixtureRequest,
    session: Session,
    boards: BoardPool,
    firmware: Firmware,
    feed: str,
    before: AnyMeasurement | None,
) -> AnyMeasurement:
    """What the device answers to `feed`, or only to what it has not answered `before`, together with that."""
    lost = {loss.name for loss in before.lost} if before is not None else None
    measurement: AnyMeasurement
    if firmware.model.windowed:
        recordings = [each for each in session.recordings(firmware.model)[feed] if lost is None or each.name in lost]
        streamed = _stream(request, session, boards, firmware, recordings)
        measurement = before.completed(streamed) if isinstance(before, Measurement) else streamed
    else:
        stimuli = [each for each in request.getfixturevalue("stimuli") if lost is None or each.name in lost]
        written = _infer(request, session, boards, firmware, stimuli)
        measurement = before.completed(written) if isinstance(before, TensorMeasurement) else written
    if measurement.lost and not measurement.invoke:
        raise LostError(measurement.lost, others=False)
    return measurement


def _stream(
    request: pytest.FixtureRequest,
    session: Session,
    boards: BoardPool,
    firmware: Firmware,
    recordings: Sequence[Recording],
) -> Measurement:
    if not boards.several:
        return _device(request).stream(recordings, go_on=True)
    with ProgressLine(request.config) as line:
        return boards.stream(firmware, recordings, _log(request, session), line.stream, line.say)


def _infer(
    request: pytest.FixtureRequest,
    session: Session,
    boards: BoardPool,
    firmware: Firmware,
    stimuli: Sequence[Stimulus],
) -> TensorMeasurement:
    if not boards.several:
        return _device(request).infer(stimuli, go_on=True)
    with ProgressLine(request.config) as line:
        return boards.infer(firmware, stimuli, _log(request, session), line.stream, line.say)


def _device(request: pytest.FixtureRequest) -> DeviceUnderTest:
    device: DeviceUnderTest = request.getfixturevalue("device")
    return device


def _log(request: pytest.FixtureRequest, session: Session) -> Path:
    log = request.node.stash[UART_LOG] = uart_log(session, request.node.nodeid, "log")
    return log

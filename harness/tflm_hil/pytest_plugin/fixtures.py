"""The fixtures: session, board and firmware for the whole run; device and record for each test.

Each imports what it needs when it is used, because pytest loads this module in every project.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tflm_hil.pytest_plugin.options import no_board

if TYPE_CHECKING:
    from tflm_hil.boards.board import Board
    from tflm_hil.boards.protocols import Sensor
    from tflm_hil.commands.trace import Trace
    from tflm_hil.lab.build import Firmware
    from tflm_hil.lab.dut import DeviceUnderTest
    from tflm_hil.lab.pool import BoardPool
    from tflm_hil.lab.session import Session
    from tflm_hil.models.chain import Chain
    from tflm_hil.models.reference import Reference
    from tflm_hil.models.stimuli import Stimulus
    from tflm_hil.pytest_plugin.measuring import AnyMeasurement
    from tflm_hil.pytest_plugin.recorder import Recorder
    from tflm_hil.pytest_plugin.tracer import Tracer
    from tflm_hil.recordings import Recording
    from tflm_hil.results.groups import ProfileFigures

SESSION = pytest.StashKey["Session"]()
UART_LOG = pytest.StashKey[Path]()
NOT_PARAMETRIZED = (
    "firmware: pytest cannot run this test once for each image; request the fixture by an argument of a test function "
    "(not of a unittest.TestCase), and choose images with @pytest.mark.hil_model"
)


@pytest.fixture(scope="session")
def hil_session(pytestconfig: pytest.Config) -> Session:
    """Options, models, engines and the firmware project of this run."""
    session = pytestconfig.stash.get(SESSION, None)
    if session is None:
        pytest.skip(no_board(pytestconfig))
    return session


@pytest.fixture(scope="session")
def board_pool(
    request: pytest.FixtureRequest, pytestconfig: pytest.Config, hil_session: Session
) -> Iterator[BoardPool]:
    """The boards of this process, shared by all its tests; of several emulators, one after the other."""
    from tflm_hil.lab.pool import BoardPool
    from tflm_hil.pytest_plugin import sharing

    # Messages name the logs in it, so they are kept until the next run.
    folder = hil_session.options.report_dir / "board" / sharing.process()
    folder.mkdir(parents=True, exist_ok=True)
    boards = getattr(request, "param", hil_session.board)
    pool = BoardPool(hil_session, boards, folder, sharing.claims(pytestconfig, boards))
    sharing.note(pytestconfig, pool)
    try:
        yield pool
    finally:
        opened = pool.opened
        pool.close()
        if hil_session.options.coverage:
            from tflm_hil.pytest_plugin.coverage import EXECUTED

            seen = pytestconfig.stash.setdefault(EXECUTED, {})
            for board in opened:
                for elf, executed in board.execution.executed().items():
                    seen.setdefault(elf, set()).update(executed)


@pytest.fixture(scope="session")
def board(pytestconfig: pytest.Config, board_pool: BoardPool) -> Board:
    """The board, started once and shared by all tests of this process; the first of several."""
    from tflm_hil.pytest_plugin.progress_line import ProgressLine

    with ProgressLine(pytestconfig) as line:
        return board_pool.first(line.say)


@pytest.fixture(scope="session")
def firmware(request: pytest.FixtureRequest, hil_session: Session) -> Firmware:
    """The built image; parametrized over models, variants, engines and targets."""
    from tflm_hil.lab.build import Build
    from tflm_hil.pytest_plugin.building import built

    build = getattr(request, "param", None)
    if not isinstance(build, Build):
        pytest.fail(NOT_PARAMETRIZED, pytrace=False)
    return built(request.config, hil_session, build)


@pytest.fixture(scope="session")
def reference(firmware: Firmware, hil_session: Session) -> Reference:
    """TensorFlow Lite Micro on the host, running the same network."""
    return hil_session.reference(firmware.variant.path)


@pytest.fixture(scope="session")
def chain(firmware: Firmware, hil_session: Session) -> Chain:
    """The steps from the trained network to the device, as far as they run on the host."""
    return hil_session.chain(firmware.model, firmware.variant)


@pytest.fixture
def feed(request: pytest.FixtureRequest, hil_session: Session, firmware: Firmware) -> str:
    """What the model is fed with: the name of a file of recordings, or `stimuli`; parametrized over all there are."""
    from tflm_hil.pytest_plugin.measuring import checked_feed

    return checked_feed(getattr(request, "param", None), hil_session, firmware)


@pytest.fixture
def recording_file(firmware: Firmware, hil_session: Session, feed: str) -> list[Recording]:
    """The recordings of one file; one test for each of them."""
    return hil_session.recordings(firmware.model)[feed]


@pytest.fixture
def recordings(firmware: Firmware, hil_session: Session) -> list[Recording]:
    """All recordings of the model."""
    return hil_session.all_recordings(firmware.model)


@pytest.fixture
def stimuli(reference: Reference) -> list[Stimulus]:
    """What a model without windows is fed with."""
    from tflm_hil.models.stimuli import stimuli

    return stimuli(reference.inputs)


@pytest.fixture
def device(
    request: pytest.FixtureRequest, hil_session: Session, board_pool: BoardPool, firmware: Firmware
) -> Iterator[DeviceUnderTest]:
    """The device, reset, connected and identified as running `firmware`. Its UART log is kept with the report."""
    from tflm_hil.pytest_plugin.progress_line import ProgressLine

    log = request.node.stash[UART_LOG] = uart_log(hil_session, request.node.nodeid, "log")
    with (
        ProgressLine(request.config) as line,
        board_pool.connected(firmware, log, line.stream, line.say) as device,
    ):
        yield device


@pytest.fixture
def fed_sensor(device: DeviceUnderTest) -> Sensor:
    """The sensor that the firmware reads, for the host to feed; only where both are there."""
    sensor = device.board.sensor
    if sensor is None:
        from tflm_hil.pytest_plugin.recorder import DoesNotApply

        raise DoesNotApply(f"{device.board.name}: nothing here feeds its sensor")
    return sensor


@pytest.fixture
def measurement(
    request: pytest.FixtureRequest, hil_session: Session, board_pool: BoardPool, firmware: Firmware, feed: str
) -> AnyMeasurement:
    """What the device answered to the recordings of one file, or to all stimuli: once for all tests that look at it."""
    from tflm_hil.pytest_plugin.measuring import measured

    return measured(request, hil_session, board_pool, firmware, feed)


@pytest.fixture
def whole_measurement(
    request: pytest.FixtureRequest, hil_session: Session, board_pool: BoardPool, firmware: Firmware
) -> AnyMeasurement:
    """What the device answered to all that its model is fed with: for what is judged once, not for each file."""
    from tflm_hil.pytest_plugin.measuring import measured_whole

    return measured_whole(request, hil_session, board_pool, firmware)


@pytest.fixture
def infer_some(device: DeviceUnderTest, reference: Reference, hil_session: Session) -> Callable[[], AnyMeasurement]:
    """Lets the device infer on a little of what its model is fed with."""
    from tflm_hil.models.stimuli import stimuli

    def infer() -> AnyMeasurement:
        if not device.firmware.model.windowed:
            return device.infer(stimuli(reference.inputs)[:2])
        return device.stream(hil_session.all_recordings(device.firmware.model)[:2])

    return infer


@pytest.fixture
def record(request: pytest.FixtureRequest, firmware: Firmware, reference: Reference) -> Recorder:
    """Where a test puts what it measured."""
    from tflm_hil.pytest_plugin.recorder import Recorder

    return Recorder(request.node, firmware, reference.name)


@pytest.fixture
def tracer(
    request: pytest.FixtureRequest, hil_session: Session, board_pool: BoardPool, firmware: Firmware, record: Recorder
) -> Tracer:
    """Names the operator that goes wrong."""
    from tflm_hil.pytest_plugin.tracer import Tracer

    return Tracer(request, hil_session, board_pool, firmware, record)


@pytest.fixture
def every_operator(tracer: Tracer) -> Trace:
    """The operators of one inference; only with --hil-trace."""
    return tracer.trace()


@pytest.fixture
def operator_profile(
    request: pytest.FixtureRequest, hil_session: Session, board_pool: BoardPool, firmware: Firmware
) -> ProfileFigures:
    """What each operator of one inference takes; only with --hil-profile."""
    from tflm_hil.pytest_plugin.profiling import profiled

    return profiled(request, hil_session, board_pool, firmware)


def uart_log(session: Session, nodeid: str, suffix: str) -> Path:
    """Where the UART log of a test is kept."""
    name = re.sub(r"[^A-Za-z0-9.-]+", "_", nodeid.removeprefix("tests/")).strip("_")
    return session.options.report_dir / "uart" / f"{name}.{suffix}"

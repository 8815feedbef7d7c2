"""The fixtures: session, board and firmware for the whole run; device and record for each test."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from tflm_hil.boards.board import Board
from tflm_hil.checks.attribution import Step
from tflm_hil.checks.latency import summarize
from tflm_hil.checks.parity import Parity
from tflm_hil.commands.trace import Trace, choose_sample, explain, trace
from tflm_hil.lab.dut import Build, DeviceUnderTest, Firmware, Measurement, TensorMeasurement, together
from tflm_hil.lab.session import Session
from tflm_hil.models.chain import Chain
from tflm_hil.models.reference import Reference
from tflm_hil.models.stimuli import Stimulus
from tflm_hil.models.stimuli import stimuli as stimuli_of
from tflm_hil.pytest_plugin.progress import Progress
from tflm_hil.recordings import Recording
from tflm_hil.results.parts import Contribution, RunKey, attribution_part, latency_part, parity_part

SESSION = pytest.StashKey[Session]()
UART_LOG = pytest.StashKey[Path]()
AnyMeasurement = Measurement | TensorMeasurement
MEASUREMENTS = pytest.StashKey[dict[tuple[str, str], tuple[AnyMeasurement, Path]]]()
CONTRIBUTIONS = pytest.StashKey[list[Contribution]]()

EXPLAINED = pytest.StashKey[dict[str, list[str]]]()

LARGEST_SYMBOLS = 20
# What a model without windows is fed with, where one with windows has the name of a file of recordings.
STIMULI = "stimuli"


@pytest.fixture(scope="session")
def hil_session(pytestconfig: pytest.Config) -> Session:
    """Options, models, engines and the firmware project of this run."""
    return pytestconfig.stash[SESSION]


@pytest.fixture(scope="session")
def board(hil_session: Session, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Board]:
    """The board, started once and shared by all tests of this process."""
    board = hil_session.open_board(tmp_path_factory.mktemp("board"))
    try:
        yield board
    finally:
        board.close()


@pytest.fixture(scope="session")
def firmware(request: pytest.FixtureRequest, hil_session: Session) -> Firmware:
    """The built image; parametrized over models, variants, engines and targets."""
    build: Build = request.param
    if not build.model.windowed:
        stimuli_of(hil_session.reference(build.variant.path).inputs)  # what cannot be fed need not be built
    with Progress(request.config) as progress:
        progress.say(f"building {build.name}")
        return hil_session.firmware(build, say=lambda text: progress.say(f"building {build.name}: {text}"))


@pytest.fixture(scope="session")
def reference(firmware: Firmware, hil_session: Session) -> Reference:
    """TensorFlow Lite Micro on the host, running the same network."""
    return hil_session.reference(firmware.variant.path)


@pytest.fixture(scope="session")
def chain(firmware: Firmware, hil_session: Session) -> Chain:
    """The steps from the trained network to the device, as far as they run on the host."""
    return hil_session.chain(firmware.model, firmware.variant)


@pytest.fixture
def feed(request: pytest.FixtureRequest) -> str:
    """What the model is fed with: the name of a file of recordings, or STIMULI; parametrized over all there are."""
    name: str = request.param
    return name


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
    return stimuli_of(reference.inputs)


@pytest.fixture
def device(
    request: pytest.FixtureRequest, hil_session: Session, board: Board, firmware: Firmware
) -> Iterator[DeviceUnderTest]:
    """The device, reset, connected and identified as running `firmware`. Its UART log is kept with the report."""
    log = hil_session.options.report_dir / "uart" / f"{_file_name(request.node.nodeid)}.log"
    request.node.stash[UART_LOG] = log
    with Progress(request.config) as progress, hil_session.connected(board, firmware, log, progress.stream) as device:
        yield device


@pytest.fixture
def measurement(request: pytest.FixtureRequest, hil_session: Session, firmware: Firmware, feed: str) -> AnyMeasurement:
    """What the device answered to the recordings of one file, or to all stimuli: once for all tests that look at it."""
    return _measured(request, hil_session, firmware, feed)


@pytest.fixture
def whole_measurement(request: pytest.FixtureRequest, hil_session: Session, firmware: Firmware) -> AnyMeasurement:
    """What the device answered to all that its model is fed with: for what is judged once, not for each file."""
    if not firmware.model.windowed:
        return _measured(request, hil_session, firmware, STIMULI)
    files = [_measured(request, hil_session, firmware, feed) for feed in hil_session.recordings(firmware.model)]
    return together([file for file in files if isinstance(file, Measurement)])


def _measured(request: pytest.FixtureRequest, session: Session, firmware: Firmware, feed: str) -> AnyMeasurement:
    key = (firmware.name, feed)
    measured = request.config.stash.setdefault(MEASUREMENTS, {})
    if key not in measured:
        device: DeviceUnderTest = request.getfixturevalue("device")
        answers: AnyMeasurement
        if firmware.model.windowed:
            answers = device.stream(session.recordings(firmware.model)[feed])
        else:
            answers = device.infer(request.getfixturevalue("stimuli"))
        measured[key] = answers, request.node.stash[UART_LOG]
    answers, request.node.stash[UART_LOG] = measured[key]
    return answers


@pytest.fixture
def infer_some(device: DeviceUnderTest, reference: Reference, hil_session: Session) -> Callable[[], AnyMeasurement]:
    """Lets the device infer on a little of what its model is fed with."""

    def infer() -> AnyMeasurement:
        if not device.firmware.model.windowed:
            return device.infer(stimuli_of(reference.inputs)[:2])
        return device.stream(hil_session.all_recordings(device.firmware.model)[:2])

    return infer


class Recorder:
    """Takes what a test measured into results.json and into the properties of JUnit XML."""

    def __init__(self, node: pytest.Item, firmware: Firmware, oracle: str) -> None:
        self._node = node
        self._firmware = firmware
        self._oracle = oracle

    def measurement(self, measurement: AnyMeasurement) -> None:
        """Latency and throughput of what was measured."""
        traffic = measurement.traffic
        latency = summarize(measurement.unit, measurement.invoke)
        if measurement.unit:
            self._add(latency=latency_part(measurement.unit, measurement.invoke, measurement.prepare))
            for figure, value in asdict(latency).items():
                self._property(f"latency.{figure}", value)
        self._add(
            stream={
                "windows": latency.count,
                "bytes": traffic.sent_bytes,
                "seconds": traffic.seconds,
                "retried": traffic.retried,
                "faults": traffic.faults,
            },
        )

    def parity(self, parity: Parity[Any]) -> None:
        """The comparison with the reference."""
        model = self._firmware.model
        part = parity_part(parity, self._oracle, model.meaning if model.windowed else None)
        self._add(parity=part)
        for figure, value in part.items():
            if not isinstance(value, list):
                self._property(f"parity.{figure}", value)

    def attribution(self, steps: list[Step], notes: list[str]) -> None:
        """How accuracy changes from the trained network to the device, and why steps are left out."""
        self._add(attribution=attribution_part(steps, notes))

    def trace(self, said: str) -> None:
        """Which operator is the first to differ."""
        self._add(trace=said)

    def footprint(self, arena_bytes: int, stack_peak_bytes: int) -> None:
        """Sizes from the image, and the two that only the running device knows."""
        image = self._firmware.image
        largest = sorted(image.symbols, key=lambda symbol: (-symbol.size, symbol.name))[:LARGEST_SYMBOLS]
        self._add(
            firmware={
                "elf_sha256": image.elf_sha256,
                "flash_bytes": image.flash_bytes,
                "ram_bytes": image.ram_bytes,
                "uart_buffer_bytes": image.ram_total_bytes - image.ram_bytes,
                "arena_bytes": arena_bytes,
                "model_bytes": image.model_bytes,
                "sections": dict(image.sections),
                "symbols": [asdict(symbol) for symbol in largest],
            },
            stack_peak_bytes=stack_peak_bytes,
        )
        for figure in ("flash_bytes", "ram_bytes", "model_bytes"):
            self._property(f"footprint.{figure}", getattr(image, figure))
        self._property("footprint.arena_bytes", arena_bytes)
        self._property("footprint.stack_peak_bytes", stack_peak_bytes)

    def _add(self, **part: object) -> None:
        contributions = self._node.stash.setdefault(CONTRIBUTIONS, [])
        contributions.append(Contribution(**part))  # type: ignore[typeddict-item]

    def _property(self, name: str, value: object) -> None:
        self._node.user_properties.append((f"hil.{name}", value))


@pytest.fixture
def record(request: pytest.FixtureRequest, firmware: Firmware, reference: Reference) -> Recorder:
    """Where a test puts what it measured."""
    return Recorder(request.node, firmware, reference.name)


class Tracer:
    """Names the operator that goes wrong. It looks once for each firmware: every window of it goes the same way."""

    def __init__(
        self, request: pytest.FixtureRequest, session: Session, board: Board, firmware: Firmware, record: Recorder
    ) -> None:
        self._request = request
        self._session = session
        self._board = board
        self._firmware = firmware
        self._record = record

    def explain(self, sample: str, window: int = 0) -> list[str]:
        """Lines that say which operator is the first to differ on this recording's window, or this stimulus."""
        explained = self._request.config.stash.setdefault(EXPLAINED, {})
        if self._firmware.name not in explained:
            chosen = choose_sample(self._session, self._firmware, sample, window)
            with Progress(self._request.config) as progress:
                explained[self._firmware.name] = explain(
                    self._session, self._board, self._firmware, chosen, self._log, progress.stream
                )
        self._record.trace(explained[self._firmware.name][0])
        return explained[self._firmware.name]

    def trace(self) -> Trace:
        """Every operator on the first window of the first recording, or the first stimulus. Raises HilError."""
        chosen = choose_sample(self._session, self._firmware)
        with Progress(self._request.config) as progress:
            found = trace(self._session, self._board, self._firmware, chosen, self._log, progress.stream)
        self._record.trace(str(found))
        return found

    @property
    def _log(self) -> Path:
        log = self._session.options.report_dir / "uart" / f"{_file_name(self._request.node.nodeid)}.trace.log"
        self._request.node.stash[UART_LOG] = log
        return log


@pytest.fixture
def tracer(
    request: pytest.FixtureRequest, hil_session: Session, board: Board, firmware: Firmware, record: Recorder
) -> Tracer:
    """What to ask where an answer is wrong."""
    return Tracer(request, hil_session, board, firmware, record)


@pytest.fixture
def every_operator(tracer: Tracer) -> Trace:
    """The operators of one inference; only with --hil-trace."""
    return tracer.trace()


def run_key(session: Session, build: Build) -> RunKey:
    """What results of `build` are filed under."""
    return RunKey(
        model=build.model.name,
        variant=build.variant.name,
        engine=build.engine,
        board=session.board.name,
        emulator=session.board.emulator,
        target=build.target,
    )


def _file_name(nodeid: str) -> str:
    return re.sub(r"[^A-Za-z0-9.-]+", "_", nodeid.removeprefix("tests/")).strip("_")

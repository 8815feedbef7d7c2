"""The device under test: one firmware image, running on a board, connected and identified."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflm_hil.boards.board import Board
from tflm_hil.checks.attribution import Step, attribute
from tflm_hil.checks.parity import Mismatch, Parity, TensorMismatch, combine, compare, compare_outputs
from tflm_hil.checks.tolerance import tolerances
from tflm_hil.device.client import Client
from tflm_hil.device.device_info import DeviceInfo
from tflm_hil.device.messages import Status, WindowResult
from tflm_hil.errors import DeviceError, LineError, RefusedError
from tflm_hil.firmware.image import FirmwareImage
from tflm_hil.models.answers import Truth
from tflm_hil.models.chain import Chain, output_quantization
from tflm_hil.models.manifest import Budget, Model, Variant
from tflm_hil.models.preprocess import prepare
from tflm_hil.models.reference import Reference
from tflm_hil.models.stimuli import Stimulus
from tflm_hil.recordings import Recording
from tflm_hil.recordings.windows import window_count, windows

# TFLite TensorType codes of the outputs that a window's answer may consist of.
OUTPUT_TYPES: dict[int, type[np.generic]] = {0: np.float32, 3: np.uint8, 7: np.int16, 9: np.int8}

Progress = Callable[[str, int, int], None]


def silent(_what: str, _done: int, _total: int) -> None:
    """A `Progress` for those who do not watch."""


@dataclass(frozen=True, repr=False)
class Build:
    """One firmware to build and test. Reports show it by its name."""

    model: Model
    variant: Variant
    engine: str
    target: str

    @property
    def name(self) -> str:
        """E.g. `gesture-int8-aot-stm32f4`."""
        return f"{self.model.name}-{self.variant.name}-{self.engine}-{self.target}"

    def __repr__(self) -> str:
        return self.name

    @property
    def budget(self) -> Budget:
        """The limits of the manifest for this variant, target and engine; an empty budget allows anything."""
        return self.variant.budget(self.target, self.engine)

    @property
    def skipped(self) -> str | None:
        """Why the manifest leaves it out, or None."""
        return self.model.skipped(self.variant.name, self.target, self.engine)


@dataclass(frozen=True, repr=False)
class Firmware(Build):
    """A build with its image."""

    image: FirmwareImage

    def command(self, name: str, arguments: str) -> str:
        """The command line `hil NAME MODEL ARGUMENTS` for this variant, engine and target."""
        return (
            f"hil {name} {self.model.name} {arguments} --variant {self.variant.name} "
            f"--engine {self.engine} --target {self.target}"
        )


@dataclass(frozen=True)
class Answers:
    """The answers to one recording: `outputs` [windows, outputs], `prepare` and `invoke` counts for each window."""

    recording: Recording
    outputs: NDArray[np.generic]
    prepare: list[int]
    invoke: list[int]


@dataclass(frozen=True)
class Traffic:
    """How the wire did while something was measured.

    `faults` counts what went wrong on the line and was mended, in both directions, `retried` the frames sent again.
    """

    sent_bytes: int
    seconds: float
    retried: int
    faults: int


@dataclass(frozen=True)
class Measurement:
    """The answers to several recordings. `unit` is that of the counts."""

    firmware: Firmware
    answers: list[Answers]
    unit: str
    traffic: Traffic

    @property
    def invoke(self) -> list[int]:
        """The counts of all inferences, in order."""
        return [count for answers in self.answers for count in answers.invoke]

    @property
    def prepare(self) -> list[int]:
        """The counts of preparing all windows, in order."""
        return [count for answers in self.answers for count in answers.prepare]

    def expected(self, reference: Reference) -> list[NDArray[np.generic]]:
        """What `reference` answers to the same windows, for each recording [windows, outputs]."""
        model = self.firmware.model
        expected = []
        for answers in self.answers:
            raw = windows(answers.recording.samples, model.window, model.stride)
            outputs = reference.run(prepare(raw, model.channels, reference.input_quantization, model.layout))
            expected.append(outputs.reshape(len(raw), -1))
        return expected

    def parity(self, reference: Reference) -> Parity[Mismatch]:
        """Compare every window with `reference`."""
        model = self.firmware.model
        tolerance = tolerances(reference.graph)[reference.graph.outputs[0]]
        quantization = output_quantization(self.firmware.variant)
        return combine(
            [
                compare(
                    answers.recording.name,
                    answers.outputs,
                    expected,
                    model.meaning,
                    self.truths(answers),
                    model.stride,
                    tolerance,
                    quantization,
                )
                for answers, expected in zip(self.answers, self.expected(reference), strict=True)
            ]
        )

    def truths(self, answers: Answers) -> list[Truth]:
        """What is right for each window, as far as the recordings know."""
        model = self.firmware.model
        return model.meaning.truths(answers.recording, model.window, model.stride)

    def attribution(self, chain: Chain) -> list[Step]:
        """Follow the answers to every window along `chain`, from the trained network to this device."""
        model = self.firmware.model
        cut = [windows(answers.recording.samples, model.window, model.stride) for answers in self.answers]
        truth = [known for answers in self.answers for known in self.truths(answers)]
        outputs = np.concatenate([answers.outputs for answers in self.answers])
        return attribute(chain.stages(np.concatenate(cut), outputs), model.meaning, truth)


def together(parts: Sequence[Measurement]) -> Measurement:
    """The measurements of several files of recordings as one. Raises ValueError where there are none."""
    if not parts:
        raise ValueError("nothing was measured")
    traffic = [part.traffic for part in parts]
    return Measurement(
        parts[0].firmware,
        [answers for part in parts for answers in part.answers],
        parts[0].unit,
        Traffic(
            sum(one.sent_bytes for one in traffic),
            sum(one.seconds for one in traffic),
            sum(one.retried for one in traffic),
            sum(one.faults for one in traffic),
        ),
    )


@dataclass(frozen=True)
class TensorMeasurement:
    """The answers to inputs that were written as tensors: all `outputs` and the `invoke` count for each stimulus."""

    firmware: Firmware
    stimuli: list[Stimulus]
    outputs: list[list[NDArray[Any]]]
    invoke: list[int]
    unit: str
    traffic: Traffic

    @property
    def prepare(self) -> list[int]:
        """Nothing: the host prepares these inputs."""
        return []

    def parity(self, reference: Reference) -> Parity[TensorMismatch]:
        """Compare every output with `reference`."""
        allowed = tolerances(reference.graph)
        return combine(
            [
                compare_outputs(
                    stimulus.name,
                    outputs,
                    reference.infer(stimulus.inputs),
                    [allowed[index] for index in reference.graph.outputs],
                    [spec.quantization for spec in reference.outputs],
                )
                for stimulus, outputs in zip(self.stimuli, self.outputs, strict=True)
            ]
        )


class DeviceUnderTest:
    """A connected device whose identity has been checked."""

    def __init__(
        self, firmware: Firmware, board: Board, client: Client, info: DeviceInfo, progress: Progress = silent
    ) -> None:
        self.firmware = firmware
        self.board = board
        self.client = client
        self.info = info
        self._progress = progress

    def stream(self, recordings: Sequence[Recording]) -> Measurement:
        """Stream `recordings`, each from its row 0, and collect the answer to every window.

        Raises:
            DeviceError: the device crashed, rebooted, fell silent, or did not answer each window exactly once.
        """
        model = self.firmware.model
        total = sum(window_count(len(recording.samples), model.window, model.stride) for recording in recordings)
        traffic = self._watch()
        with self._watched():
            results = self.client.stream_all(
                [recording.samples for recording in recordings],
                lambda done: self._progress(f"windows, {self.firmware.name}", done, total),
            )
        answers = [self._answers(recording, windows) for recording, windows in zip(recordings, results, strict=True)]
        return Measurement(
            self.firmware,
            answers,
            self.board.unit(self.info),
            traffic(),
        )

    def infer(self, stimuli: Sequence[Stimulus]) -> TensorMeasurement:
        """Write the inputs of each of `stimuli`, run the network, and read its outputs.

        Raises:
            HilError: the inputs do not fit the network.
            DeviceError: the device crashed, rebooted, fell silent, or sent something else than its outputs.
        """
        traffic = self._watch()
        with self._watched():
            results = self.client.infer_all(
                [[values.tobytes() for values in stimulus.inputs] for stimulus in stimuli],
                lambda done: self._progress(f"inferences, {self.firmware.name}", done, len(stimuli)),
            )
        outputs = [
            [
                np.frombuffer(content, tensor.dtype).reshape(tensor.shape)
                for content, tensor in zip(result.outputs, self.info.outputs, strict=True)
            ]
            for result in results
        ]
        return TensorMeasurement(
            self.firmware,
            list(stimuli),
            outputs,
            [self.board.counts(self.info, result.invoke_ticks) for result in results],
            self.board.unit(self.info),
            traffic(),
        )

    def status(self) -> Status:
        """The device's own counters, among them the stack's high-water mark."""
        with self._watched():
            return self.client.status()

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """Add to the error of a device that is silent what is wrong with its board; a broken line has told it."""
        try:
            yield
        except (LineError, RefusedError):
            raise
        except DeviceError as error:
            if trouble := self.board.trouble():
                raise DeviceError(f"{error} ({trouble})", error.log_tail) from None
            raise

    def _watch(self) -> Callable[[], Traffic]:
        """Begin to watch the wire; what it returns tells how the wire has done since."""
        link = self.client.link
        started, before = time.monotonic(), replace(link)
        return lambda: Traffic(
            link.bytes_sent - before.bytes_sent,
            time.monotonic() - started,
            link.retried - before.retried,
            link.faults - before.faults,
        )

    def _answers(self, recording: Recording, results: list[WindowResult]) -> Answers:
        output = self.info.outputs[0]
        if output.type not in OUTPUT_TYPES:
            raise DeviceError(f"{self.firmware.name}: the device's output has type {output.type}, which no check knows")
        return Answers(
            recording,
            np.frombuffer(b"".join(result.outputs for result in results), OUTPUT_TYPES[output.type]).reshape(
                len(results), -1
            ),
            [self.board.counts(self.info, result.prepare_ticks) for result in results],
            [self.board.counts(self.info, result.invoke_ticks) for result in results],
        )

"""What a device answered, and how it compares with the reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflm_hil.checks.attribution import Step, attribute
from tflm_hil.checks.parity import Mismatch, Parity, TensorMismatch, combine, compare, compare_outputs
from tflm_hil.checks.tolerance import tolerances
from tflm_hil.lab.build import Firmware
from tflm_hil.lab.losses import Loss
from tflm_hil.models.answers import Truth
from tflm_hil.models.chain import Chain, output_quantization
from tflm_hil.models.preprocess import prepare
from tflm_hil.models.reference import Reference
from tflm_hil.models.stimuli import Stimulus
from tflm_hil.recordings import Recording
from tflm_hil.recordings.windows import windows


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
    `interrupts` is how often received bytes interrupted what was measured; the counts do not include that time.
    `link` is `uart` or `rtt`.
    """

    sent_bytes: int = 0
    seconds: float = 0.0
    retried: int = 0
    faults: int = 0
    interrupts: int = 0
    link: str = ""

    def __add__(self, other: Traffic) -> Traffic:
        return Traffic(
            self.sent_bytes + other.sent_bytes,
            self.seconds + other.seconds,
            self.retried + other.retried,
            self.faults + other.faults,
            self.interrupts + other.interrupts,
            self.link or other.link,
        )


@dataclass(frozen=True)
class Measurement:
    """The answers to several recordings, without those that were `lost`.

    `unit` is that of the counts, "" if there are none: the device has no counter, or `refused_counter` says what is
    wrong with it. `engine_version` is what the device says of its engine.
    """

    firmware: Firmware
    answers: list[Answers]
    unit: str
    traffic: Traffic
    lost: tuple[Loss, ...] = ()
    refused_counter: str = ""
    engine_version: str = ""

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

    def completed(self, later: Measurement) -> Measurement:
        """This one and `later`, for which what this one had lost was streamed again."""
        return replace(together([self, later]), lost=later.lost)


def together(parts: Sequence[Measurement]) -> Measurement:
    """The measurements of several files of recordings as one. Raises ValueError where there are none."""
    if not parts:
        raise ValueError("nothing was measured")
    return Measurement(
        parts[0].firmware,
        [answers for part in parts for answers in part.answers],
        parts[0].unit,
        sum((part.traffic for part in parts), Traffic()),
        tuple(loss for part in parts for loss in part.lost),
        next((part.refused_counter for part in parts if part.refused_counter), ""),
        parts[0].engine_version,
    )


@dataclass(frozen=True)
class TensorMeasurement:
    """The answers to inputs that were written as tensors: all `outputs` and the `invoke` count for each stimulus.

    Those that were `lost` are not among the stimuli.
    """

    firmware: Firmware
    stimuli: list[Stimulus]
    outputs: list[list[NDArray[Any]]]
    invoke: list[int]
    unit: str
    traffic: Traffic
    lost: tuple[Loss, ...] = ()
    refused_counter: str = ""
    engine_version: str = ""

    def completed(self, later: TensorMeasurement) -> TensorMeasurement:
        """This one and `later`, for which what this one had lost was written again."""
        return replace(
            later,
            stimuli=self.stimuli + later.stimuli,
            outputs=self.outputs + later.outputs,
            invoke=self.invoke + later.invoke,
            traffic=self.traffic + later.traffic,
        )

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

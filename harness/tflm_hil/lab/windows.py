"""The windows of a measurement as results keep them: what was answered to each, and those that differ."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from tflm_hil.checks.parity import Mismatch
from tflm_hil.lab.measurement import Measurement
from tflm_hil.models.answers import Truth, truth_text
from tflm_hil.models.chain import output_quantization
from tflm_hil.models.reference import Reference
from tflm_hil.recordings import Recording
from tflm_hil.results.groups import DifferenceFigures, MeaningFigures, OutputType, WindowFigures
from tflm_hil.results.parts import finite

_DIGEST_DIGITS = 16


def meaning_of(measurement: Measurement) -> MeaningFigures:
    """How the outputs of `measurement`, which has some, are read, and what they were computed from."""
    model, quantization = measurement.firmware.model, output_quantization(measurement.firmware.variant)
    return MeaningFigures(
        cast(OutputType, quantization.dtype.name),
        outputs=measurement.answers[0].outputs.shape[1],
        stride=model.stride,
        scale=quantization.scale,
        zero_point=quantization.zero_point,
        labels=list(model.labels),
        output=model.output,
        inputs={answers.recording.name: digest(answers.recording) for answers in measurement.answers},
        truths={
            answers.recording.name: [
                (truth, len(list(windows))) for truth, windows in groupby(map(_text, measurement.truths(answers)))
            ]
            for answers in measurement.answers
        },
    )


def digest(recording: Recording) -> str:
    """Return what tells the rows of `recording` from others."""
    samples = np.ascontiguousarray(recording.samples)
    return hashlib.sha256(str(samples.shape).encode() + samples.tobytes()).hexdigest()[:_DIGEST_DIGITS]


def differences(
    measurement: Measurement, reference: Reference, mismatches: Sequence[Mismatch]
) -> Iterator[DifferenceFigures]:
    """Yield each of `mismatches` with its rows, beside the nearest window on which the device agrees with `reference`.

    Nearest is one with the same truth, if possible of the same recording, and there the one fewest windows away.
    One of another recording with another truth is no neighbour.
    """
    if not mismatches:
        return
    windows = _Windows(measurement, reference)
    differing = {(mismatch.recording, mismatch.window) for mismatch in mismatches}
    for mismatch in mismatches:
        here, window = windows.position(mismatch.recording), mismatch.window
        near = min(windows.near(here, window, differing), default=None)
        agrees = windows.figures(*near[-2:]) if near is not None else None
        yield DifferenceFigures(windows.figures(here, window), agrees)


class _Windows:
    """All windows of a measurement, by the position of their recording in it and by their number."""

    def __init__(self, measurement: Measurement, reference: Reference) -> None:
        self._model = measurement.firmware.model
        self._answers = measurement.answers
        self._expected = measurement.expected(reference)
        self._truths = [list(map(_text, measurement.truths(answers))) for answers in measurement.answers]
        self._quantization = output_quantization(measurement.firmware.variant)

    def position(self, recording: str) -> int:
        return next(number for number, answers in enumerate(self._answers) if answers.recording.name == recording)

    def near(
        self, here: int, window: int, differing: set[tuple[str, int]]
    ) -> Iterator[tuple[bool, bool, int, int, int]]:
        """How far away each neighbour is that agrees, and where: the last two are its recording and its number."""
        truth = self._truths[here][window]
        for there, answers in enumerate(self._answers):
            for other, known in enumerate(self._truths[there]):
                if (answers.recording.name, other) not in differing and (there == here or known == truth != ""):
                    yield known != truth, there != here, abs(other - window), there, other

    def figures(self, recording: int, window: int) -> WindowFigures:
        model, answers = self._model, self._answers[recording]
        first_row = window * model.stride
        device, reference = answers.outputs[window], self._expected[recording][window]
        return WindowFigures(
            answers.recording.name,
            window,
            first_row,
            rows=answers.recording.samples[first_row : first_row + model.window].tolist(),
            device=[finite(value) for value in device.tolist()],
            device_label=self._label(device),
            reference=[finite(value) for value in reference.tolist()],
            reference_label=self._label(reference),
            truth=self._truths[recording][window],
        )

    def _label(self, stored: NDArray[Any]) -> str:
        return str(self._model.meaning.answers(self._quantization.real(stored[np.newaxis]))[0])


def _text(truth: Truth) -> str:
    return "" if truth is None else truth_text(truth)

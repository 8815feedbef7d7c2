"""Windows as results keep them: rows, answers, labels, and beside a window that differs one on which all agree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tflm_hil.lab.build import Firmware
from tflm_hil.lab.contributions import of_answers
from tflm_hil.lab.measurement import Answers, Measurement, Traffic
from tflm_hil.lab.windows import differences
from tflm_hil.models.manifest import Model, load_models
from tflm_hil.models.reference import Reference
from tflm_hil.recordings import Recording, load_recordings
from tflm_hil.results.figures import figures
from tflm_hil.results.flips import flips
from tflm_hil.results.groups import DifferenceFigures
from tflm_hil.results.model import Run

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def model() -> Model:
    return load_models(ROOT)["gesture"]


@pytest.fixture(scope="module")
def reference(model: Model) -> Reference:
    return Reference(model.variants["int8"].path)


@pytest.fixture(scope="module")
def recordings(model: Model) -> list[Recording]:
    assert model.recordings
    known = load_recordings(model.recordings, model.channels, model.window)
    punches, flexes = ([each for each in known if each.label == label] for label in ("punch", "flex"))
    return [punches[0], joined(punches[1:4]), joined(flexes[:3])]


def joined(recordings: list[Recording]) -> Recording:
    """One recording with the windows of several."""
    return replace(recordings[0], samples=np.concatenate([each.samples for each in recordings]))


def measurement(
    model: Model, reference: Reference, recordings: list[Recording], wrong: Mapping[int, list[int]]
) -> Measurement:
    """What a device answers that is right but for windows of some recordings, by the position of these."""
    image: Any = None
    firmware = Firmware(model, model.variants["int8"], "aot", "stm32f4", image)
    right = Measurement(firmware, [Answers(each, np.empty(0), [], []) for each in recordings], "", Traffic())
    outputs = [expected.copy() for expected in right.expected(reference)]
    for position, windows in wrong.items():
        outputs[position][windows] = np.roll(outputs[position][windows], 1, axis=1)
    answers = [Answers(each, stored, [], []) for each, stored in zip(recordings, outputs, strict=True)]
    return Measurement(firmware, answers, "", Traffic())


def found(measured: Measurement, reference: Reference) -> list[DifferenceFigures]:
    return list(differences(measured, reference, measured.parity(reference).mismatches))


def test_a_window_that_differs_stands_beside_its_nearest_neighbour(
    model: Model, reference: Reference, recordings: list[Recording]
) -> None:
    (one, *_) = found(measurement(model, reference, recordings, {1: [0]}), reference)
    recording = recordings[1]
    assert (one.differs.recording, one.differs.window, one.differs.truth) == (recording.name, 0, "punch")
    assert one.differs.rows == recording.samples[: model.window].tolist()
    assert one.differs.device == [*one.differs.reference[-1:], *one.differs.reference[:-1]]
    assert (one.differs.device_label, one.differs.reference_label) == ("flex", "punch")
    assert one.agrees
    assert (one.agrees.recording, one.agrees.window) == (recording.name, 1)
    assert one.agrees.first_row == model.stride
    assert one.agrees.rows == recording.samples[model.stride : model.stride + model.window].tolist()
    assert one.agrees.device == one.agrees.reference


def test_the_neighbour_may_be_of_another_recording_with_the_same_label_but_of_no_other_label(
    model: Model, reference: Reference, recordings: list[Recording]
) -> None:
    every = list(range(1 + (len(recordings[0].samples) - model.window) // model.stride))
    one = found(measurement(model, reference, recordings, {0: every}), reference)[0]
    assert one.agrees
    assert one.agrees.recording == recordings[1].name
    (alone, *_) = found(measurement(model, reference, [recordings[0], recordings[2]], {0: every}), reference)
    assert alone.agrees is None


def test_results_know_all_that_a_later_comparison_needs(
    model: Model, reference: Reference, recordings: list[Recording]
) -> None:
    runs = []
    for wrong in ({}, {2: [0]}):
        measured = measurement(model, reference, recordings, wrong)
        contribution = of_answers(measured, reference, measured.parity(reference).mismatches)
        run = Run("gesture", "int8", "aot", "emulated", "qemu 7", "stm32f4", "pass")
        for name, value in figures([contribution]).items():
            setattr(run, name, value)
        runs.append(run)
    (flip,) = flips(*runs)
    assert (flip.recording, flip.window, flip.first_row) == (recordings[2].name, 0, 0)
    assert (flip.label_before, flip.label_now, flip.truth) == ("flex", "idle", "flex")
    assert flip.now == [*flip.before[-1:], *flip.before[:-1]]
    assert 0.5 < max(score for score in flip.before if score is not None) <= 1

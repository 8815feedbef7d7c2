"""What a sketch prints, classified on the host: equal to the reference on the counts, or refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np
import pytest
from support.firmware_helpers import ROOT
from support.sketch import counts
from tflm_hil.capture.setup import Setup
from tflm_hil.capture.source import Event, Gesture, Note
from tflm_hil.commands.live.host import UNIT, HostClassifier
from tflm_hil.errors import HilError
from tflm_hil.models.manifest import Model, load_models
from tflm_hil.models.preprocess import prepare
from tflm_hil.models.reference import Reference
from tflm_hil.recordings.windows import windows

SETUP = Setup("MPU6050", 4, 2000, 50)


class Told:
    """A source that tells `events`, and then that it is at an end."""

    name = "desk"

    def __init__(self, *events: Event) -> None:
        self._events = events

    def events(self) -> Iterator[Event]:
        yield from self._events


def gesture_model(**changes: Any) -> Model:
    return msgspec.structs.replace(load_models(ROOT)["gesture"], **changes)


@pytest.mark.parametrize("variant", ["int8", "float32"])
def test_every_window_of_a_gesture_has_the_answer_of_the_reference(variant: str) -> None:
    model = gesture_model()
    sent = counts(1, rows=47)[0]
    reference = Reference(model.variants[variant].path)
    cut = windows(sent, model.window, model.stride)
    outputs = reference.run(prepare(cut, model.channels, reference.input_quantization, model.layout))
    labels = model.meaning.answers(reference.outputs[0].quantization.real(outputs.reshape(len(cut), -1)))
    notes: list[str] = []
    source = Told(Note("keep still"), SETUP, Gesture(SETUP.values(sent).round(4)))
    answers = list(HostClassifier(model, model.variants[variant]).answers(source, notes.append))
    assert [each.label for each in answers] == labels.tolist()
    assert [(each.source, each.index, each.unit) for each in answers[-1:]] == [("gesture 1", 3, UNIT)]
    assert notes == ["keep still"]


def test_channels_in_other_units_are_converted() -> None:
    model = gesture_model()
    metric = [
        msgspec.structs.replace(channel, unit="m/s^2", lsb_per_unit=8192 / 9.80665) if channel.unit == "g" else channel
        for channel in model.channels
    ]
    classifier = HostClassifier(msgspec.structs.replace(model, channels=metric), model.variants["int8"])
    assert np.allclose(classifier._counts, [8192.0] * 3 + [16.4] * 3)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"window": 0}, "gesture takes tensors, not rows of a sensor"),
        (
            {"channels": [msgspec.structs.replace(load_models(ROOT)["gesture"].channels[0], name="mX")]},
            "takes the channels mX",
        ),
    ],
)
def test_a_model_that_takes_something_else_is_refused(changes: dict[str, Any], message: str) -> None:
    model = gesture_model(**changes)
    with pytest.raises(HilError, match=message):
        HostClassifier(model, model.variants["int8"])


@pytest.mark.parametrize(
    ("events", "message"),
    [
        ([Setup("MPU6050", 4, 2000, 100)], "desk: the sketch prints 100 rows a second, but gesture takes 50"),
        ([SETUP, Gesture(np.zeros((17, 6)))], "desk: a gesture has 17 rows, but a window of gesture has 30"),
    ],
)
def test_a_sketch_that_does_not_fit_is_refused(events: list[Event], message: str) -> None:
    model = gesture_model()
    with pytest.raises(HilError, match=message):
        list(HostClassifier(model, model.variants["int8"]).answers(Told(*events), print))

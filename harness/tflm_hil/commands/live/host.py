"""A sketch that prints gestures, and TensorFlow Lite Micro on this host that classifies them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import numpy as np

from tflm_hil.capture.setup import CHANNELS, Setup, Values
from tflm_hil.capture.source import Gesture, Note, Source
from tflm_hil.commands.live.window import Answer, Reader
from tflm_hil.device.timeout import Clock
from tflm_hil.errors import HilError
from tflm_hil.models.manifest import Model, Variant
from tflm_hil.models.preprocess import prepare
from tflm_hil.models.reference import Reference
from tflm_hil.recordings.units import RAW, conversion
from tflm_hil.recordings.windows import windows

UNIT = "us on this host"
"""Not a latency of any device."""


class HostClassifier:
    """Answers gestures with `variant` of `model`.

    Raises HilError if the model takes other channels than a sketch prints, or has no windows, and if TFLM cannot run
    the network.
    """

    def __init__(self, model: Model, variant: Variant, clock: Clock = time.perf_counter) -> None:
        check_windowed(model)
        named = {channel.name: channel for channel in model.channels}
        if not set(named) <= set(CHANNELS):
            raise HilError(
                f"{model.name} takes the channels {', '.join(named)}, but a sketch prints {', '.join(CHANNELS)};"
                " choose another model"
            )
        self._columns = [CHANNELS.index(name) for name in named]
        self._counts = [self._factor(model, name) for name in named]
        self._model = model
        self._reader = Reader(model, variant)
        self._reference = Reference(variant.path)
        self._clock = clock

    def answers(self, source: Source, say: Callable[[str], None]) -> Iterator[Answer]:
        """Yield the answers to the gestures of `source`; `say` is told its notes.

        Raises HilError as the source, and if its rows do not fit the model.
        """
        gestures = 0
        for event in source.events():
            if isinstance(event, Note):
                say(event.text)
            elif isinstance(event, Setup) and event.rate_hz != self._model.sample_rate_hz:
                raise HilError(
                    f"{source.name}: the sketch prints {event.rate_hz:g} rows a second, but {self._model.name} takes"
                    f" {self._model.sample_rate_hz:g}; train it with recordings of this sketch"
                )
            elif isinstance(event, Gesture):
                gestures += 1
                yield from self._of_gesture(f"gesture {gestures}", event.values, source.name)

    def _of_gesture(self, name: str, values: Values, port: str) -> Iterator[Answer]:
        model = self._model
        if len(values) < model.window:
            raise HilError(
                f"{port}: a gesture has {len(values)} rows, but a window of {model.name} has {model.window};"
                " let the sketch print more of them"
            )
        limits = np.iinfo(np.int16)
        counts = np.clip(np.rint(values[:, self._columns] * self._counts), limits.min, limits.max).astype(np.int16)
        for index, window in enumerate(windows(counts, model.window, model.stride)):
            prepared = prepare(window[np.newaxis], model.channels, self._reference.input_quantization, model.layout)
            began = self._clock()
            outputs = self._reference.run(prepared).tobytes()
            yield self._reader.read(name, index, outputs, (self._clock() - began) * 1e6, UNIT)

    @staticmethod
    def _factor(model: Model, name: str) -> float:
        """Counts of the model's channel `name` in the unit that the sketch prints."""
        channel = next(channel for channel in model.channels if channel.name == name)
        unit = "g" if name in CHANNELS[:3] else "dps"
        if channel.unit == RAW:
            raise HilError(f"{model.name}: channel {name} is in raw counts, but a sketch prints {unit}; give it a unit")
        try:
            factor, _ = conversion(unit, channel.unit)
        except ValueError as error:
            raise HilError(f"{model.name}: channel {name}: {error}; a sketch prints {unit}") from None
        return factor * channel.lsb_per_unit


def check_windowed(model: Model) -> None:
    """Raise HilError unless `model` takes rows of a sensor."""
    if not model.windowed:
        raise HilError(f"{model.name} takes tensors, not rows of a sensor; nothing of it runs live")

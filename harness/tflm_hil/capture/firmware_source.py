"""Gestures of our firmware's own sensor: its rows, asked for with SENSE, and cut here."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tflm_hil.capture.setup import CHANNELS, Setup
from tflm_hil.capture.source import Event, Gesture, Level, Note
from tflm_hil.capture.trigger import Cut, Trigger
from tflm_hil.device.sensing import Sensed
from tflm_hil.errors import HilError
from tflm_hil.targets.sensor import SensorModel

_SHOWN_HZ = 20
"""How many times a second rows are asked for, and shown."""

_STILL_G = 0.1
_STILL_DPS = 10.0
"""How far the values of a channel may be apart at rest: a hand that is held still trembles by less."""

_MOST_TRIES = 30


class Sensor(Protocol):
    """What the source needs of a client."""

    def sensing(self, at_once: int) -> Iterator[Sensed]:
        """See Client."""


class FirmwareSource:
    """The `sensor` of a device that is connected, of this `model`, at the board `name`."""

    def __init__(self, sensor: Sensor, name: str, model: SensorModel, cut: Cut) -> None:
        self.name = name
        self._sensor = sensor
        self._model = model
        self._trigger = Trigger(cut, model.rate_hz)

    def events(self) -> Iterator[Event]:
        """See Source. The first second of rows, in which the sensor must rest, is for the calibration."""
        rows = chain.from_iterable(
            part.samples for part in self._sensor.sensing(max(1, round(self._model.rate_hz / _SHOWN_HZ)))
        )
        setup = self._setup(())
        yield Note("calibration: keep the sensor still")
        for _ in range(_MOST_TRIES):
            rest = np.array([next(rows) for _ in range(round(self._model.rate_hz))])
            if self._rests(setup, rest):
                break
            yield Note("calibration: it moved, again")
        else:
            raise HilError(f"{self.name}: the sensor did not rest for a second; put it down, then start again")
        setup = self._setup(tuple(float(round(mean)) for mean in rest.mean(axis=0)))
        yield setup
        yield Note("ready")
        for row in rows:
            motion, gesture = self._trigger.take(setup.values(row))
            yield Level(motion, self._trigger.threshold_g)
            if gesture is not None:
                yield Gesture(gesture)

    def _setup(self, offsets: tuple[float, ...]) -> Setup:
        model = self._model
        return Setup(model.name, model.accelerometer_range_g, model.gyroscope_range_dps, model.rate_hz, offsets)

    @staticmethod
    def _rests(setup: Setup, rows: NDArray[np.int16]) -> bool:
        spread = np.ptp(setup.values(rows), axis=0)
        accelerations = CHANNELS.index("gX")
        return bool((spread[:accelerations] <= _STILL_G).all() and (spread[accelerations:] <= _STILL_DPS).all())

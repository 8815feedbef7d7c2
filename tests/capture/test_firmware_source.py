"""Gestures of a sensor that our firmware reads: calibration, rows, and where they end."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from support.device_helpers import bench
from support.fake_device import Image, Tensor
from tflm_hil.capture.firmware_source import FirmwareSource
from tflm_hil.capture.setup import Setup
from tflm_hil.capture.source import Event, Gesture, Level, Note
from tflm_hil.capture.trigger import Cut
from tflm_hil.errors import HilError, RefusedError
from tflm_hil.targets.sensor import MODELS

MODEL = MODELS["lsm6dso"]
SECOND = round(MODEL.rate_hz)
IMAGE = Image(window=1, stride=1000, channels=6, inputs=(Tensor(9, (1, 6), 1.0),), outputs=(Tensor(9, (1, 4), 1.0),))
REST = np.array([10, -20, 8200, 3, 4, -5], np.int16)


def collected(tmp_path: Path, rows: Sequence[NDArray[np.int16]], cut: Cut) -> list[Event]:
    """What the source tells of `rows`, until the sensor fails."""
    b = bench(tmp_path, IMAGE)
    left: Iterator[bytes] = (row.astype("<i2").tobytes() for row in rows)
    b.device.sense = lambda: next(left, "it is gone")
    b.client.hello()
    events: list[Event] = []
    source = FirmwareSource(b.client, "desk", MODEL, cut).events()
    with pytest.raises(RefusedError, match="it is gone"):
        deque(map(events.append, source), maxlen=0)
    return events


def test_a_replayed_session_becomes_gestures(tmp_path: Path) -> None:
    rows = [REST] * (3 * SECOND)
    moved = np.random.default_rng(1).integers(-20_000, 20_000, (40, 6), dtype=np.int16)
    events = collected(tmp_path, [*rows, *moved, *rows], Cut(threshold_g=0.5, rows=30, pre_trigger=0))
    (gesture,) = [event for event in events if isinstance(event, Gesture)]
    setup = next(event for event in events if isinstance(event, Setup))
    assert setup == Setup("LSM6DSO", 4, 2000, 104, tuple(map(float, REST)))
    assert np.rint(gesture.values * setup.scale).tolist() == moved[:30].tolist()
    assert [event.text for event in events if isinstance(event, Note)] == [
        "calibration: keep the sensor still",
        "ready",
    ]
    levels = [event.g for event in events if isinstance(event, Level)]
    assert max(levels) > 0.5 > levels[0]


def test_a_sensor_that_moves_is_calibrated_again(tmp_path: Path) -> None:
    moved = REST + np.array([0, 2000, 0, 0, 0, 0], np.int16)
    rows = [*[REST] * (SECOND - 1), moved, *[REST] * (SECOND + 40)]
    events = collected(tmp_path, rows, Cut(threshold_g=0.0))
    notes = [event.text for event in events if isinstance(event, Note)]
    assert notes == ["calibration: keep the sensor still", "calibration: it moved, again", "ready"]
    assert len([event for event in events if isinstance(event, Gesture)]) == 1


def test_a_sensor_that_never_rests_is_given_up(tmp_path: Path) -> None:
    b = bench(tmp_path, IMAGE)
    shaking = np.random.default_rng(1).integers(-20_000, 20_000, (40, 6), dtype="<i2")
    numbers = iter(range(1_000_000))
    b.device.sense = lambda: shaking[next(numbers) % 40].tobytes()
    b.client.hello()
    with pytest.raises(HilError, match="desk: the sensor did not rest for a second; put it down, then start again"):
        list(FirmwareSource(b.client, "desk", MODEL, Cut()).events())

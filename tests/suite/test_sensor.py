"""The test of a sensor in the loop passes where the sensor is fed right, and fails for what it is there to find."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from support.device_helpers import bench, recording
from support.fake_device import FakeDevice, Image, Tensor
from tflm_hil.suite.sensor import test_sensor_in_the_loop as in_the_loop

IMAGE = Image(window=4, stride=2, channels=6, inputs=(Tensor(9, (1, 24), 0.25, -3),))
AT_REST = np.zeros(6, "<i2")
Rows = NDArray[np.int16]
Spoil = Callable[[list[Rows]], list[Rows]]


class RestingSensor:
    """Senses zeros, and from the moment that it is fed, after a while, what it is fed with as `spoil` leaves it."""

    def __init__(self, spoil: Spoil) -> None:
        self._spoil = spoil
        self._rows: list[Rows] = []

    def feed(self, samples: Rows) -> None:
        self._rows = [AT_REST] * 5 + self._spoil(list(samples))

    def sense(self) -> bytes:
        return (self._rows.pop(0) if self._rows else AT_REST).astype("<i2").tobytes()


def run(tmp_path: Path, spoil: Spoil = list, sizes: tuple[int, ...] = (3, 40, 30)) -> None:
    b, sensor = bench(tmp_path, IMAGE), RestingSensor(spoil)
    b.device.sense = sensor.sense
    b.client.hello()
    recordings: Any = [SimpleNamespace(name=f"r/{rows}", samples=recording(rows, 6)) for rows in sizes]
    firmware = SimpleNamespace(model=SimpleNamespace(window=IMAGE.window))
    device: Any = SimpleNamespace(firmware=firmware, client=b.client, sense=b.client.sense)
    in_the_loop(device, sensor, recordings)


def test_it_passes_if_the_sensor_senses_what_was_recorded(tmp_path: Path) -> None:
    run(tmp_path)


@pytest.mark.parametrize(
    ("spoil", "found"),
    [
        (lambda rows: rows[:10] + rows[11:], 10),
        (lambda rows: rows[:10] + rows[9:], 10),
        (lambda rows: [*rows[:10], rows[10] ^ 1, *rows[11:]], 10),
        (lambda _rows: [], 0),
    ],
    ids=["lost", "doubled", "wrong", "nothing"],
)
def test_it_fails_if_rows_are_lost_doubled_or_wrong(tmp_path: Path, spoil: Spoil, found: int) -> None:
    with pytest.raises(AssertionError, match=rf"r/30: of 30 rows .* only the first {found} are together among the 134"):
        run(tmp_path, spoil)


def test_it_fails_if_sensed_rows_have_other_answers_than_streamed_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples = FakeDevice._samples

    def lie(device: FakeDevice, body: bytes, row: int) -> bytes:
        answer = samples(device, body, row)
        windows = answer[4]
        return answer[:-1] + bytes([answer[-1] ^ 1]) if windows and len(body) > 200 else answer

    monkeypatch.setattr(FakeDevice, "_samples", lie)  # SENSE asks for fewer rows at a time
    with pytest.raises(AssertionError, match=r"from its row 6 on: \d+ of 66 windows have other answers than the same"):
        run(tmp_path)


def test_it_is_skipped_if_no_recording_is_long_enough(tmp_path: Path) -> None:
    with pytest.raises(pytest.skip.Exception, match="no recording is as long as a window"):
        run(tmp_path, sizes=(3, 2))

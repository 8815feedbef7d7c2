"""A device that classifies: each window once, at the rate of the sensor, with its truth."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from support.device_helpers import FakeClock, bench, expected_outputs
from support.device_helpers import recording as rows_of
from support.fake_contact import IMAGE, FakeBoard
from support.fake_device import Sense
from tflm_hil.commands.live import device as live
from tflm_hil.commands.live.window import Answer
from tflm_hil.errors import BoardError, RefusedError
from tflm_hil.lab.dut import DeviceUnderTest
from tflm_hil.lab.losses import Streak
from tflm_hil.models.answers import Classes
from tflm_hil.models.preprocess import Quantization
from tflm_hil.recordings import Recording

RATE_HZ = 50
LABELS = ("a", "b", "c", "d")
MODEL: Any = SimpleNamespace(
    name="m",
    windowed=True,
    window=IMAGE.window,
    stride=IMAGE.stride,
    sample_rate_hz=RATE_HZ,
    meaning=Classes(LABELS),
)


@dataclass
class Sleeper:
    """Sleeps on a fake clock, on which each recording takes what is slept."""

    clock: FakeClock
    slept: list[float] = field(default_factory=list)

    def __call__(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.clock.now += seconds


@pytest.fixture(autouse=True)
def _int8(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "tflm_hil.commands.live.window.output_quantization", lambda _variant: Quantization(np.dtype(np.int8), 0.5, 7)
    )


def connected(tmp_path: Path, sense: Sense | None = None) -> DeviceUnderTest:
    b = bench(tmp_path, IMAGE)
    b.device.sense = sense
    firmware: Any = SimpleNamespace(model=MODEL, variant=None)
    board: Any = FakeBoard(b.clock)
    return DeviceUnderTest(firmware, board, lambda: (b.client, b.client.hello()), Streak())


def labels_of(samples: np.ndarray[Any, np.dtype[np.int16]]) -> list[str]:
    outputs = expected_outputs(samples, IMAGE.window, IMAGE.stride)
    return [LABELS[int(np.frombuffer(each, np.int8).argmax())] for each in outputs]


def replay(tmp_path: Path, recordings: Sequence[Recording], speed: float) -> tuple[list[Answer], Sleeper]:
    sleeper = Sleeper(FakeClock())
    return list(live.replayed(connected(tmp_path), recordings, speed, sleeper.clock, sleeper)), sleeper


def recordings_of(*lengths: int) -> list[Recording]:
    return [
        Recording(f"r/{at}", Path(), LABELS[at], rows_of(length, seed=at), None, RATE_HZ)
        for at, length in enumerate(lengths)
    ]


@pytest.mark.parametrize("speed", [0.0, 1.0, 10.0])
def test_every_window_is_answered_once_and_at_the_rate_of_the_sensor(tmp_path: Path, speed: float) -> None:
    recordings = recordings_of(31, 4, 3, 200)
    answers, sleeper = replay(tmp_path, recordings, speed)
    assert [(each.source, each.label) for each in answers] == [
        (recording.name, label) for recording in recordings for label in labels_of(recording.samples)
    ]
    assert [each.index for each in answers if each.source == "r/3"] == list(range(99))
    assert {each.truth for each in answers if each.source == "r/1"} == {"b"}
    rows = 30 + 4 + 0 + 200  # Those that complete a window; of the first recording the last one does not.
    assert sum(sleeper.slept) == pytest.approx(rows / (RATE_HZ * speed) if speed else 0.0)


def test_scores_have_the_names_of_the_labels_and_latencies_their_unit(tmp_path: Path) -> None:
    answers, _ = replay(tmp_path, recordings_of(4), 0.0)
    (window,) = expected_outputs(rows_of(4), IMAGE.window, IMAGE.stride)
    assert answers[0].scores == dict(zip(LABELS, ((np.frombuffer(window, np.int8) - 7.0) * 0.5).tolist(), strict=True))
    assert answers[0].unit == "cycles"
    assert answers[0].latency is not None
    assert answers[0].latency > 8000


def test_a_sensor_is_classified_until_it_fails(tmp_path: Path) -> None:
    samples = rows_of(100)
    left = iter(samples.astype("<i2"))
    device = connected(tmp_path, lambda: row.tobytes() if (row := next(left, None)) is not None else "it is gone")
    answers: list[Answer] = []
    with pytest.raises(RefusedError, match="it is gone"):
        deque(map(answers.append, live.sensed(device)), maxlen=0)
    expected = labels_of(samples)
    assert [each.label for each in answers] == expected[: len(answers)]
    assert len(answers) >= len(expected) - 1


def test_what_is_wrong_with_a_board_is_said(tmp_path: Path) -> None:
    device = connected(tmp_path)
    device.board.said = "its emulator has ended"  # type: ignore[attr-defined]
    device.client.reset()  # Without a session every request fails.
    with pytest.raises(BoardError, match="its emulator has ended"):
        list(live.replayed(device, recordings_of(10), 0.0))

"""Rows of the device's own sensor: with a device that behaves, one without a sensor, and false answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from support.device_helpers import Bench, bench, check_windows, recording
from support.fake_device import RESPONSE, SENSE, FakeDevice, Image, Tensor
from support.fake_framing import frame
from tflm_hil.errors import DeviceError, HilError, RefusedError


def connected(tmp_path: Path, sense: Callable[[], bytes | str] | None, image: Image | None = None) -> Bench:
    b = bench(tmp_path, image)
    b.device.sense = sense
    b.client.hello()
    return b


def sensing(rows: NDArray[np.int16]) -> Callable[[], bytes]:
    left: Iterator[NDArray[np.int16]] = iter(rows.astype("<i2"))
    return lambda: next(left).tobytes()


def never() -> None:
    pytest.fail("nothing has been sensed")


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(window=st.integers(1, 40), stride=st.integers(1, 50), channels=st.integers(1, 60), rows=st.integers(0, 200))
def test_rows_and_their_windows_come_back_as_when_streamed(
    tmp_path: Path, window: int, stride: int, channels: int, rows: int
) -> None:
    image = Image(window, stride, channels, inputs=(Tensor(9, (1, window * channels), 0.25, -3),))
    samples = recording(rows, channels)
    b = connected(tmp_path, sensing(samples), image)
    starts: list[int] = []
    sensed = b.client.sense(rows, lambda: starts.append(len(b.device.executed)))
    assert np.array_equal(sensed.samples, samples)
    check_windows(sensed.windows, samples, image)
    assert starts == ([2] if rows else [])  # after BEGIN and the first row
    streamed = b.client.stream(samples)
    assert [window.outputs for window in streamed] == [window.outputs for window in sensed.windows]


def test_a_device_without_a_sensor_says_so(tmp_path: Path) -> None:
    b = connected(tmp_path, None)
    with pytest.raises(RefusedError, match="refused request #2 SENSE: not available in this build: no sensor"):
        b.client.sense(1, never)
    assert b.client.status().windows == 0


def test_a_sensor_that_fails_says_why(tmp_path: Path) -> None:
    b = connected(tmp_path, lambda: "it is gone")
    with pytest.raises(RefusedError, match="SENSE: failed on the device: it is gone"):
        b.client.sense(5, never)


def test_a_device_without_windows_is_not_asked(tmp_path: Path) -> None:
    b = connected(tmp_path, None, Image(window=0, stride=0, channels=0))
    with pytest.raises(HilError, match="takes tensors, not rows of a sensor"):
        b.client.sense(1, never)


def test_a_row_that_no_response_has_room_for_is_not_asked_for(tmp_path: Path) -> None:
    image = Image(1, 1, 120, inputs=(Tensor(9, (1, 120), 0.25, -3),))
    b = connected(tmp_path, sensing(recording(1, 120)), image)
    with pytest.raises(HilError, match="has no room for a row and its window"):
        b.client.sense(1, never)


def answers(b: Bench, content: bytes) -> None:
    """Let the device answer SENSE with `content`."""
    execute = FakeDevice._execute

    def false(type_: int, seq: int, body: bytes) -> bytes:
        return frame(SENSE | RESPONSE, seq, content) if type_ == SENSE else execute(b.device, type_, seq, body)

    b.device._execute = false  # type: ignore[method-assign]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "malformed SENSE message: it ends after 0 bytes"),
        (b"\0\0\0\0\0", "malformed SENSE message: it ends after 5 bytes"),
        (b"\0\0\0\0\0" + bytes(7), "malformed SENSE message: it has 1 bytes too many"),
        (b"\0\0\0\0\1" + bytes(12 + 6), "complete no window, but the device answered window 0"),
        (b"\0\0\0\0\xff" + bytes(200), "malformed SENSE message: it ends after 205 bytes"),
        (b"\xff\xff\xff\xff\1" + bytes(12 + 6), "but the device answered window 4294967295"),
    ],
)
def test_a_false_answer_is_one_line(tmp_path: Path, content: bytes, complaint: str) -> None:
    b = connected(tmp_path, None)
    answers(b, content)
    with pytest.raises(DeviceError, match=complaint) as raised:
        b.client.sense(3, never)
    assert "\n" not in str(raised.value)


def test_an_impossible_time_is_refused(tmp_path: Path) -> None:
    image = Image(1, 1, 3, inputs=(Tensor(9, (1, 3), 0.25, -3),))
    b = connected(tmp_path, None, image)
    answers(b, b"\0\0\0\0\1" + bytes(12 + 6))
    with pytest.raises(DeviceError, match="the device measured 0 ticks for the preparation of window 0"):
        b.client.sense(1, never)

"""A device that classifies: recordings that are replayed to it, or its own sensor."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

from tflm_hil.commands.live.window import Answer, Reader
from tflm_hil.device.messages import WindowResult
from tflm_hil.device.timeout import Clock
from tflm_hil.lab.dut import DeviceUnderTest
from tflm_hil.models.answers import Truth
from tflm_hil.models.manifest import Model
from tflm_hil.recordings import Recording
from tflm_hil.recordings.windows import window_count

_SHOWN_HZ = 20


def replayed(
    device: DeviceUnderTest,
    recordings: Sequence[Recording],
    speed: float,
    clock: Clock = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Answer]:
    """Yield the answers to `recordings`, whose rows come at `speed` times the rate of the sensor; 0: without a pause.

    Raises DeviceError as `DeviceUnderTest.stream`.
    """
    model = device.firmware.model
    reader = Reader(model, device.firmware.variant)
    for recording in recordings:
        truths = model.meaning.truths(recording, model.window, model.stride)
        began = clock()
        fed = 0

        def paced(recording: Recording = recording, began: float = began) -> Iterator[int]:
            nonlocal fed
            for size in _parts(model, len(recording.samples)):
                fed += size
                late = clock() - began
                if speed and (due := fed / (model.sample_rate_hz * speed)) > late:
                    sleep(due - late)
                yield size

        for windows in device.feeding(recording, paced()):
            for window in windows:
                yield _answer(device, reader, recording.name, window, truths[window.index])


def sensed(device: DeviceUnderTest) -> Iterator[Answer]:
    """Yield the answers to what the device's own sensor senses, without an end. Raises DeviceError if it fails."""
    model = device.firmware.model
    reader = Reader(model, device.firmware.variant)
    at_once = max(1, min(model.stride, round(model.sample_rate_hz / _SHOWN_HZ)))
    for part in device.sensing(at_once):
        for window in part.windows:
            yield _answer(device, reader, device.board.name, window)


def _answer(device: DeviceUnderTest, reader: Reader, source: str, window: WindowResult, truth: Truth = None) -> Answer:
    latency = device.counts(window.invoke_ticks) if device.unit else None
    return reader.read(source, window.index, window.outputs, latency, device.unit, truth)


def _parts(model: Model, rows: int) -> Iterator[int]:
    """How many rows complete each window in turn; what completes none is not sent."""
    for index in range(window_count(rows, model.window, model.stride)):
        yield model.window if index == 0 else model.stride

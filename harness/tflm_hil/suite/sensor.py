"""Rows that the firmware reads from its sensor are those that were recorded, and have the answers of streamed ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tflm_hil.boards.protocols import Sensor
    from tflm_hil.lab.dut import DeviceUnderTest
    from tflm_hil.recordings import Recording

MARGIN_ROWS = 104
"""Rows before and after the recording, in which the sensor rests: a second."""


def test_sensor_in_the_loop(device: DeviceUnderTest, fed_sensor: Sensor, recordings: list[Recording]) -> None:
    from tflm_hil.checks.sensing import found_at

    model = device.firmware.model
    long_enough = [each for each in recordings if len(each.samples) >= model.window]
    if not long_enough:
        pytest.skip("no recording is as long as a window")
    recording = min(long_enough, key=lambda each: len(each.samples))  # A sensor takes its time.
    recorded = recording.samples
    sensed = device.sense(len(recorded) + MARGIN_ROWS, lambda: fed_sensor.feed(recorded))
    at, found = found_at(recorded, sensed.samples)
    assert found == len(recorded), (
        f"{recording.name}: of {len(recorded)} rows that the sensor was fed with, only the first {found} are together "
        f"among the {len(sensed.samples)} that the firmware read"
    )
    streamed = device.client.stream(sensed.samples)
    pairs = zip(sensed.windows, streamed, strict=True)
    differ = [sensed_one.index for sensed_one, other in pairs if sensed_one.outputs != other.outputs]
    assert not differ, (
        f"{recording.name}, which the sensor sensed from its row {at} on: {len(differ)} of {len(streamed)} windows "
        f"have other answers than the same rows streamed, the first of them window {differ[0]}"
    )

"""An inference takes no longer than the model's manifest allows, and in emulation always equally long."""

from __future__ import annotations

import pytest

from harness.checks.budget import over_budget
from harness.checks.latency import summarise
from harness.dut import DeviceUnderTest, Measurement
from harness.fixtures import Recorder
from harness.recordings import Recording


def test_latency_stays_within_the_budget(measurement: Measurement, record: Recorder) -> None:
    record.measurement(measurement)
    latency = summarise(measurement.unit, measurement.invoke)
    if latency.unit != "instructions":
        pytest.skip("the manifest's budget counts instructions, and this board counts cycles")
    limit = measurement.firmware.budget.instructions
    excess = over_budget([("slowest inference", latency.max, limit, latency.unit)])
    assert not excess, "; ".join(map(str, excess))


def test_emulated_latency_is_the_same_every_time(device: DeviceUnderTest, recordings: list[Recording]) -> None:
    first, second = device.stream(recordings[:2]), device.stream(recordings[:2])
    if first.unit != "instructions":
        pytest.skip("on hardware, interrupts and wait states make cycles vary")
    assert first.invoke
    assert first.invoke == second.invoke

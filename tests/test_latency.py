"""An inference takes no longer than the model's manifest allows, and in emulation always equally long."""

from __future__ import annotations

import pytest

from harness.checks.budget import over_budget
from harness.checks.latency import summarise
from harness.dut import DeviceUnderTest
from harness.recordings import Recording


def test_latency_stays_within_the_budget(device: DeviceUnderTest, recordings: list[Recording]) -> None:
    measurement = device.stream(recordings[:10])
    latency = summarise(measurement.unit, measurement.invoke)
    if latency.unit != "instructions":
        pytest.skip("the manifest's budget counts instructions, and this board counts cycles")
    budget = device.firmware.budget
    assert not over_budget([("slowest inference", latency.max, budget.instructions, latency.unit)])


def test_emulated_latency_is_the_same_every_time(device: DeviceUnderTest, recordings: list[Recording]) -> None:
    first, second = device.stream(recordings[:2]), device.stream(recordings[:2])
    if first.unit != "instructions":
        pytest.skip("on hardware, interrupts and wait states make cycles vary")
    assert first.invoke == second.invoke

"""An inference takes no longer than the model's manifest allows, and in emulation always equally long."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tflm_hil.checks.budget import over_budget
from tflm_hil.checks.latency import summarize
from tflm_hil.lab.limits import budget_source

if TYPE_CHECKING:
    from collections.abc import Callable

    from tflm_hil.lab.session import Session
    from tflm_hil.pytest_plugin.measuring import AnyMeasurement
    from tflm_hil.pytest_plugin.recorder import Recorder


def test_latency_stays_within_the_budget(
    whole_measurement: AnyMeasurement, record: Recorder, hil_session: Session
) -> None:
    record.measurement(whole_measurement)
    if whole_measurement.refused_counter:
        pytest.fail(whole_measurement.refused_counter, pytrace=False)
    latency = summarize(whole_measurement.unit, whole_measurement.invoke)
    if not latency.unit:
        pytest.skip("the device has no counter")
    if latency.unit != "instructions":
        pytest.skip("the manifest's budget counts instructions, and this board counts cycles")
    firmware = whole_measurement.firmware
    budget, root = firmware.budget, hil_session.options.root
    rows = [("slowest inference", "instructions", latency.max, budget.instructions, latency.unit)]
    if prepare := whole_measurement.prepare:
        both = [sum(pair) for pair in zip(prepare, whole_measurement.invoke, strict=True)]
        rows += [
            ("slowest preparation of a window", "preparation", max(prepare), budget.preparation, latency.unit),
            ("slowest window, prepared and inferred", "window", max(both), budget.window, latency.unit),
        ]
    excess = over_budget(rows)
    assert not excess, "; ".join(f"{each} ({budget_source(firmware, each.name, root)})" for each in excess)


def test_emulated_latency_is_the_same_every_time(infer_some: Callable[[], AnyMeasurement]) -> None:
    first, second = infer_some(), infer_some()
    if first.unit != "instructions":
        pytest.skip("on hardware, interrupts and wait states make cycles vary")
    assert first.invoke
    assert first.invoke == second.invoke

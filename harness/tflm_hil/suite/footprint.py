"""The image fits its budget: flash, RAM, the engine's arena, and the stack at its deepest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflm_hil.checks.budget import over_budget
from tflm_hil.lab.limits import budget_source

if TYPE_CHECKING:
    from collections.abc import Callable

    from tflm_hil.lab.dut import DeviceUnderTest
    from tflm_hil.lab.session import Session
    from tflm_hil.pytest_plugin.measuring import AnyMeasurement
    from tflm_hil.pytest_plugin.recorder import Recorder


def test_footprint_stays_within_the_budget(
    device: DeviceUnderTest, infer_some: Callable[[], AnyMeasurement], record: Recorder, hil_session: Session
) -> None:
    infer_some()
    status, image, budget = device.status(), device.firmware.image, device.firmware.budget
    record.footprint(arena_bytes=device.info.arena_bytes, stack_peak_bytes=status.stack_peak)
    assert not status.stack_size or status.stack_peak < status.stack_size, (
        "the stack was used up: it may have run into the data below it"
    )
    excess = over_budget(
        [
            ("flash", "flash_bytes", image.flash_bytes, budget.flash_bytes, "bytes"),
            ("static RAM without link buffers", "ram_bytes", image.ram_bytes, budget.ram_bytes, "bytes"),
            ("arena", "arena_bytes", device.info.arena_bytes, budget.arena_bytes, "bytes"),
            ("stack", "stack_bytes", status.stack_peak, budget.stack_bytes, "bytes"),
        ]
    )
    root = hil_session.options.root
    assert not excess, "; ".join(f"{each} ({budget_source(device.firmware, each.name, root)})" for each in excess)

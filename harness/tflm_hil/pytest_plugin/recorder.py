"""What a test measured, on its way into results.json and JUnit XML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import msgspec
import pytest

from tflm_hil.checks.attribution import Step
from tflm_hil.checks.latency import summarize
from tflm_hil.checks.parity import Mismatch, Parity
from tflm_hil.lab.build import Firmware
from tflm_hil.lab.contributions import of_answers, of_footprint, of_measurement, of_parity
from tflm_hil.lab.measurement import Measurement
from tflm_hil.models.reference import Reference
from tflm_hil.pytest_plugin.measuring import AnyMeasurement
from tflm_hil.results.groups import ProfileFigures
from tflm_hil.results.parts import Contribution, attribution_part

CONTRIBUTIONS = pytest.StashKey[list[Contribution]]()
MEASURED = "hil_measured"
"""The attribute of a report that has what its test measured: reports are what pytest-xdist carries from its workers."""

LEFT_OUT = "hil_left_out"
"""The attribute of a report of a test that was skipped before it looked, by a mark or a fixture of the project."""


class DoesNotApply(pytest.skip.Exception):  # type: ignore[misc, name-defined]
    """Skips a test of the suite that has nothing to look at on this board, so that nothing is missing without it."""


class Recorder:
    """Takes what a test measured into results.json and into the properties of JUnit XML."""

    def __init__(self, node: pytest.Item, firmware: Firmware, oracle: str) -> None:
        self._node = node
        self._firmware = firmware
        self._oracle = oracle

    def measurement(self, measurement: AnyMeasurement) -> None:
        """Latency and throughput of what was measured."""
        self._add(of_measurement(measurement))
        if measurement.unit:
            for figure, value in asdict(summarize(measurement.unit, measurement.invoke)).items():
                self._property(f"latency.{figure}", value)

    def parity(self, parity: Parity[Any]) -> None:
        """The comparison with the reference."""
        contribution = of_parity(parity, self._firmware, self._oracle)
        self._add(contribution)
        for figure, value in contribution["parity"].items():
            if not isinstance(value, list):
                self._property(f"parity.{figure}", value)

    def answers(self, measurement: Measurement, reference: Reference, mismatches: Sequence[Mismatch]) -> None:
        """What the device answered to every window, and the rows of those on which `reference` answers otherwise."""
        self._add(of_answers(measurement, reference, mismatches))

    def attribution(self, steps: list[Step], notes: list[str]) -> None:
        """How accuracy changes from the trained network to the device, and why steps are left out."""
        self._add(Contribution(attribution=attribution_part(steps, notes)))

    def trace(self, said: str) -> None:
        """Which operator is the first to differ."""
        self._add(Contribution(trace=said))

    def profile(self, profile: ProfileFigures) -> None:
        """What each operator takes."""
        self._add(Contribution(profile=msgspec.to_builtins(profile)))

    def footprint(self, arena_bytes: int, stack_peak_bytes: int) -> None:
        """Sizes from the image, and the two that only the running device knows."""
        image = self._firmware.image
        self._add(of_footprint(self._firmware, arena_bytes, stack_peak_bytes))
        for figure in ("flash_bytes", "ram_bytes", "model_bytes"):
            self._property(f"footprint.{figure}", getattr(image, figure))
        self._property("footprint.arena_bytes", arena_bytes)
        self._property("footprint.stack_peak_bytes", stack_peak_bytes)

    def _add(self, contribution: Contribution) -> None:
        self._node.stash.setdefault(CONTRIBUTIONS, []).append(contribution)

    def _property(self, name: str, value: object) -> None:
        self._node.user_properties.append((f"hil.{name}", value))

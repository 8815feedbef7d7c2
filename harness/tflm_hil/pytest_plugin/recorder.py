"""What a test measured, on its way into results.json and JUnit XML."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pytest

from tflm_hil.checks.attribution import Step
from tflm_hil.checks.latency import summarize
from tflm_hil.checks.parity import Parity
from tflm_hil.lab.dut import Firmware
from tflm_hil.pytest_plugin.measuring import AnyMeasurement
from tflm_hil.results.parts import Contribution, attribution_part, latency_part, parity_part

CONTRIBUTIONS = pytest.StashKey[list[Contribution]]()
LARGEST_SYMBOLS = 20


class Recorder:
    """Takes what a test measured into results.json and into the properties of JUnit XML."""

    def __init__(self, node: pytest.Item, firmware: Firmware, oracle: str) -> None:
        self._node = node
        self._firmware = firmware
        self._oracle = oracle

    def measurement(self, measurement: AnyMeasurement) -> None:
        """Latency and throughput of what was measured."""
        traffic = measurement.traffic
        latency = summarize(measurement.unit, measurement.invoke)
        if measurement.unit:
            self._add(latency=latency_part(measurement.unit, measurement.invoke, measurement.prepare))
            for figure, value in asdict(latency).items():
                self._property(f"latency.{figure}", value)
        self._add(
            stream={
                "windows": latency.count,
                "bytes": traffic.sent_bytes,
                "seconds": traffic.seconds,
                "retried": traffic.retried,
                "faults": traffic.faults,
            },
        )

    def parity(self, parity: Parity[Any]) -> None:
        """The comparison with the reference."""
        model = self._firmware.model
        part = parity_part(parity, self._oracle, model.meaning if model.windowed else None)
        self._add(parity=part)
        for figure, value in part.items():
            if not isinstance(value, list):
                self._property(f"parity.{figure}", value)

    def attribution(self, steps: list[Step], notes: list[str]) -> None:
        """How accuracy changes from the trained network to the device, and why steps are left out."""
        self._add(attribution=attribution_part(steps, notes))

    def trace(self, said: str) -> None:
        """Which operator is the first to differ."""
        self._add(trace=said)

    def footprint(self, arena_bytes: int, stack_peak_bytes: int) -> None:
        """Sizes from the image, and the two that only the running device knows."""
        image = self._firmware.image
        largest = sorted(image.symbols, key=lambda symbol: (-symbol.size, symbol.name))[:LARGEST_SYMBOLS]
        self._add(
            firmware={
                "elf_sha256": image.elf_sha256,
                "flash_bytes": image.flash_bytes,
                "ram_bytes": image.ram_bytes,
                "uart_buffer_bytes": image.ram_total_bytes - image.ram_bytes,
                "arena_bytes": arena_bytes,
                "model_bytes": image.model_bytes,
                "sections": dict(image.sections),
                "symbols": [asdict(symbol) for symbol in largest],
            },
            stack_peak_bytes=stack_peak_bytes,
        )
        for figure in ("flash_bytes", "ram_bytes", "model_bytes"):
            self._property(f"footprint.{figure}", getattr(image, figure))
        self._property("footprint.arena_bytes", arena_bytes)
        self._property("footprint.stack_peak_bytes", stack_peak_bytes)

    def _add(self, **part: object) -> None:
        contributions = self._node.stash.setdefault(CONTRIBUTIONS, [])
        contributions.append(Contribution(**part))  # type: ignore[typeddict-item]

    def _property(self, name: str, value: object) -> None:
        self._node.user_properties.append((f"hil.{name}", value))

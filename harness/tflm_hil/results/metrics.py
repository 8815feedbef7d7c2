"""The figures that can get better or worse: what limits name, what comparisons compare, and what tables show of a run.

A metric is named by its path in a run of `results.json`, such as `latency.median`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from tflm_hil.results.model import Run

FRACTION = ""
"""The unit of accuracies."""
BYTES = "bytes"
OF_RUN = "of the run"
"""The unit of latencies: instructions or cycles, as the run counts."""


@dataclass(frozen=True)
class Metric:
    """One figure, in `unit`: bytes, a fraction, or that in which the run counts.

    `column` heads it in the table at the end of a session; without one it is not there. One that depends on what was
    streamed (`by_windows`) can only be compared over equally many windows.
    """

    name: str
    unit: str
    column: str = ""
    better: Literal["less", "more"] = "less"
    by_windows: bool = False

    @property
    def group(self) -> str:
        """The figures of a run that it belongs to, such as `latency`."""
        return self.name.partition(".")[0]

    @property
    def field(self) -> str:
        """Its name there, such as `median`."""
        return self.name.partition(".")[2]

    def of(self, run: Run) -> int | float | None:
        """Its value in `run`, None where it was not measured."""
        group = getattr(run, self.group)
        value: int | float | None = getattr(group, self.field) if group is not None else None
        return value

    def unit_in(self, run: Run) -> str:
        """Its unit in `run`, which has measured it."""
        unit: str = getattr(run, self.group).unit if self.unit == OF_RUN else self.unit
        return unit

    def shown(self, value: float, run: Run) -> str:
        """`value`, measured in `run`, for people."""
        return shown(value, self.unit_in(run))

    def windows(self, run: Run) -> int | None:
        """Over how many windows it was measured."""
        group: Any = getattr(run, self.group)
        return getattr(group, "count", None) or getattr(group, "windows", None)


def shown(value: float, unit: str) -> str:
    """A figure in `unit` for people."""
    return f"{value:,} {unit}" if unit else f"{value:.2%}"


METRICS = (
    Metric("latency.median", OF_RUN, "median", by_windows=True),
    Metric("latency.p99", OF_RUN, by_windows=True),
    Metric("latency.max", OF_RUN, "max", by_windows=True),
    Metric("preparation.max", OF_RUN, by_windows=True),
    Metric("window.max", OF_RUN, by_windows=True),
    Metric("parity.accuracy_device", FRACTION, better="more", by_windows=True),
    Metric("parity.accuracy_reference", FRACTION, better="more", by_windows=True),
    Metric("attribution.accuracy_drop", FRACTION, by_windows=True),
    Metric("firmware.flash_bytes", BYTES, "flash"),
    Metric("firmware.ram_bytes", BYTES, "static RAM"),
    Metric("firmware.arena_bytes", BYTES, "arena"),
    Metric("firmware.stack_peak_bytes", BYTES, "stack"),
    Metric("firmware.ram_total_bytes", BYTES, "RAM total"),
    Metric("firmware.model_bytes", BYTES),
)
BY_NAME = {metric.name: metric for metric in METRICS}

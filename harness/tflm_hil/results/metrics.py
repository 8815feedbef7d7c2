"""The figures that can get better or worse: what baselines compare, and what tables show of a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from tflm_hil.results.model import Run


@dataclass(frozen=True)
class Metric:
    """One figure: `field` of a run's `group` of figures, called `name` where it is spoken of, in `unit`.

    A metric without a unit of its own has that of its group. `column` heads it in the table at the end of a session;
    without one it is not there.
    It is worse than before if it got worse by more than `tolerance` of what it was, and by more than `slack` beyond
    that. One that depends on what was streamed (`by_windows`) is only compared over equally many windows.
    """

    name: str
    group: str
    field: str
    unit: str
    column: str = ""
    better: Literal["less", "more"] = "less"
    tolerance: float = 0.01
    slack: float = 0
    by_windows: bool = False

    def of(self, run: Run) -> int | float | None:
        """Its value in `run`, None where it was not measured."""
        group = getattr(run, self.group)
        value: int | float | None = getattr(group, self.field) if group is not None else None
        return value

    def shown(self, value: float) -> str:
        """`value` for people."""
        return f"{value:.2%}" if self.unit == "%" else f"{value:,}"

    def worse(self, before: float, now: float) -> bool:
        """Whether it got worse by more than is forgiven."""
        loss = now - before if self.better == "less" else before - now
        return loss > abs(before) * self.tolerance + self.slack

    def same_windows(self, before: Run, now: Run) -> bool:
        """Whether it was measured over as many windows in both."""
        return _windows(getattr(before, self.group)) == _windows(getattr(now, self.group))


def _windows(figures: Any) -> int | None:
    return getattr(figures, "count", None) or getattr(figures, "windows", None)


# Figures of one toolchain are exact, so the tolerance only forgives what nobody would act upon. How deep the stack
# gets also depends on where an interrupt strikes: its slack is one exception frame with the FPU's state, and what our
# handler pushes.
METRICS = (
    Metric("latency_median", "latency", "median", "", "median", by_windows=True),
    Metric("latency_max", "latency", "max", "", "max", by_windows=True),
    Metric("preparation_max", "preparation", "max", "", by_windows=True),
    Metric("window_max", "window", "max", "", by_windows=True),
    Metric("accuracy_device", "parity", "accuracy_device", "%", better="more", tolerance=0, by_windows=True),
    Metric("accuracy_reference", "parity", "accuracy_reference", "%", better="more", tolerance=0, by_windows=True),
    Metric("accuracy_drop", "attribution", "accuracy_drop", "%", tolerance=0, by_windows=True),
    Metric("flash_bytes", "firmware", "flash_bytes", "bytes", "flash"),
    Metric("ram_bytes", "firmware", "ram_bytes", "bytes", "static RAM"),
    Metric("arena_bytes", "firmware", "arena_bytes", "bytes", "arena"),
    Metric("stack_peak_bytes", "firmware", "stack_peak_bytes", "bytes", "stack", slack=104 + 32),
    Metric("ram_total_bytes", "firmware", "ram_total_bytes", "bytes", "RAM total", slack=104 + 32),
)

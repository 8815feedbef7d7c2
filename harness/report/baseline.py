"""Baselines: figures of an earlier run that later runs must not fall behind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from harness.errors import HilError
from harness.report.results import Results, Run, load, save

FILE = "baseline.json"
# Figures of one toolchain are exact, so this only forgives what nobody would act upon.
TOLERANCE = 0.01
# How deep the stack gets also depends on where an interrupt strikes: one exception frame with the FPU's state.
STACK_SLACK_BYTES = 104

# For each figure, how to get it from a run. Less is better in all of them.
FIGURES: dict[str, Callable[[Run], int | None]] = {
    "flash_bytes": lambda run: run.firmware.flash_bytes if run.firmware else None,
    "ram_bytes": lambda run: run.firmware.ram_bytes if run.firmware else None,
    "arena_bytes": lambda run: run.firmware.arena_bytes if run.firmware else None,
    "stack_peak_bytes": lambda run: run.firmware.stack_peak_bytes if run.firmware else None,
    "latency_median": lambda run: run.latency.median if run.latency else None,
    "latency_max": lambda run: run.latency.max if run.latency else None,
}


@dataclass(frozen=True)
class Change:
    """A figure that differs from the baseline."""

    run: str
    figure: str
    before: int
    now: int

    @property
    def regressed(self) -> bool:
        """Whether it got worse by more than is forgiven."""
        slack = STACK_SLACK_BYTES if self.figure == "stack_peak_bytes" else 0
        return self.now > self.before * (1 + TOLERANCE) + slack

    def __str__(self) -> str:
        percent = f"{(self.now - self.before) / self.before:+.1%}" if self.before else "new"
        return f"{self.run} {self.figure}: {self.before:,} -> {self.now:,} ({percent})"


@dataclass(frozen=True)
class Comparison:
    """`incomparable` says why figures were not compared, one line each; `missing` are runs that the baseline lacks."""

    changes: list[Change]
    missing: list[str]
    incomparable: list[str]

    @property
    def regressions(self) -> list[Change]:
        """The changes for the worse."""
        return [change for change in self.changes if change.regressed]


def _key(run: Run) -> tuple[str | None, ...]:
    # The kind of board, not the port: the same board may be /dev/ttyACM0 today and /dev/ttyACM1 tomorrow.
    kind = "emulated" if run.emulator else "hardware"
    return (run.model, run.variant, run.engine, run.target, kind)


def _comparable(figure: str, old: Run, new: Run) -> bool:
    # Latency depends on the data, so it is only compared over equally many windows: `pytest -k` may select a few.
    if not figure.startswith("latency"):
        return True
    return old.latency is not None and new.latency is not None and old.latency.count == new.latency.count


def read(folder: Path) -> Results:
    """The baseline in `folder`.

    Raises:
        HilError: there is none, or it cannot be read.
    """
    if not (folder / FILE).is_file():
        raise HilError(f"{folder}: no {FILE} there; make it with --hil-update-baseline")
    return load(folder / FILE)


def compare(results: Results, baseline: Results) -> Comparison:
    """Hold `results` against `baseline`.

    Figures of another compiler are listed as incomparable, not as regressions: they would blame the wrong change.
    """
    compiler = "arm-none-eabi-gcc"
    before, now = baseline.toolchain.get(compiler), results.toolchain.get(compiler)
    if before != now:
        reason = f"the baseline was made with {compiler} {before}, this run with {now}: update it to compare again"
        return Comparison([], [], [reason])
    known = {_key(run): run for run in baseline.runs}
    changes: list[Change] = []
    missing: list[str] = []
    for run in results.runs:
        old = known.get(_key(run))
        if old is None:
            missing.append(run.name)
            continue
        for figure, get in FIGURES.items():
            was, is_now = get(old), get(run)
            if was is not None and is_now is not None and was != is_now and _comparable(figure, old, run):
                changes.append(Change(run.name, figure, was, is_now))
    return Comparison(changes, missing, [])


def update(results: Results, folder: Path) -> Path:
    """Make `results`, without the long list of symbols, the baseline in `folder`; returns the file.

    Raises:
        HilError: it cannot be written.
    """
    path = folder / FILE
    runs = [replace(run, firmware=run.firmware and replace(run.firmware, symbols=[])) for run in results.runs]
    save(replace(results, runs=runs), path)
    return path

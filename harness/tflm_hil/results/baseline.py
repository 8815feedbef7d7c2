"""Baselines: figures of earlier runs that later runs must not fall behind."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from msgspec.structs import replace

from tflm_hil.errors import HilError
from tflm_hil.files import probe_folder
from tflm_hil.results.metrics import METRICS, Metric
from tflm_hil.results.model import Results, Run, load, save

FILE = "baseline.json"


@dataclass(frozen=True)
class Change:
    """A figure that differs from the baseline."""

    run: str
    metric: Metric
    before: int | float
    now: int | float

    @property
    def regressed(self) -> bool:
        """Whether it got worse by more than is forgiven."""
        return self.metric.worse(self.before, self.now)

    @property
    def figure(self) -> str:
        """The name of the metric."""
        return self.metric.name

    def __str__(self) -> str:
        before, now = self.metric.shown(self.before), self.metric.shown(self.now)
        if self.metric.unit == "%":
            return f"{self.run} {self.figure}: {before} -> {now}"
        percent = f"{(self.now - self.before) / self.before:+.1%}" if self.before else "new"
        return f"{self.run} {self.figure}: {before} -> {now} ({percent})"


@dataclass(frozen=True)
class Comparison:
    """`incomparable` says why figures were not compared, one line each; `missing` are runs that the baseline lacks.

    `unmeasured` are runs that it has and of which nothing was measured to be compared.
    """

    changes: list[Change] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    incomparable: list[str] = field(default_factory=list)
    unmeasured: list[str] = field(default_factory=list)

    @property
    def regressions(self) -> list[Change]:
        """The changes for the worse."""
        return [change for change in self.changes if change.regressed]


@dataclass(frozen=True)
class Update:
    """A baseline that was written: its file, the runs that were put into it, and those that stay as they were.

    `refused` are the runs of this session that did not pass and are not in it.
    """

    path: Path
    written: list[str]
    kept: list[str]
    refused: list[str]


def read(folder: Path) -> Results:
    """The baseline in `folder`.

    Raises:
        HilError: there is none, or it cannot be read.
    """
    if not (folder / FILE).is_file():
        raise HilError(f"{folder}: no {FILE} there; make it with --hil-update-baseline")
    return load(folder / FILE)


def probe(folder: Path) -> None:
    """Make sure that `update` will not fail, before minutes are spent on what it is to write.

    Raises:
        HilError: the folder cannot be written to, or the baseline that is there cannot be read.
    """
    if (folder / FILE).exists():
        load(folder / FILE)
    probe_folder(folder)


def compare(results: Results, baseline: Results) -> Comparison:
    """Hold what this session measured against `baseline`.

    Figures of another compiler are listed as incomparable, not as regressions: they would blame the wrong change.
    """
    known = {run.identity: run for run in baseline.runs}
    comparison = Comparison()
    for run in results.runs:
        old = known.get(run.identity)
        if not run.current:
            continue
        if old is None:
            comparison.missing.append(run.name)
        elif old.compiler != run.compiler:
            comparison.incomparable.append(
                f"the baseline of {run.name} was made with arm-none-eabi-gcc {old.compiler}, this run with "
                f"{run.compiler}: update it to compare again"
            )
        else:
            _compare(old, run, comparison)
    current = {run.identity for run in results.runs if run.current}
    comparison.unmeasured.extend(run.name for run in baseline.runs if run.identity not in current)
    return comparison


def _compare(old: Run, run: Run, comparison: Comparison) -> None:
    for metric in METRICS:
        before, now = metric.of(old), metric.of(run)
        if before is None:
            continue
        if now is None or metric.group in run.stale:
            comparison.incomparable.append(f"{run.name} {metric.name}: not measured in this session")
        elif metric.by_windows and not metric.same_windows(old, run):
            comparison.incomparable.append(f"{run.name} {metric.name}: not measured on the same windows")
        elif before != now:
            comparison.changes.append(Change(run.name, metric, before, now))


def update(results: Results, folder: Path) -> Update:
    """Put every run that passed in this session, without its long lists, into the baseline in `folder`.

    A run that failed, is incomplete or did not run stays there as it was.

    Raises:
        HilError: the baseline that is there cannot be read, or the new one cannot be written.
    """
    path = folder / FILE
    passed = {run.identity: _slim(run) for run in results.runs if run.verdict == "pass"}
    before = load(path).runs if path.is_file() else []
    kept = {run.identity: run for run in before if run.identity not in passed}
    if passed:
        runs = sorted([*kept.values(), *passed.values()], key=lambda run: run.identity)
        save(replace(results, runs=runs, gaps=[]), path)
    refused = [run.name for run in results.runs if run.current and run.identity not in {*passed, *kept}]
    return Update(path, [run.name for run in passed.values()], [run.name for run in kept.values()], refused)


def _slim(run: Run) -> Run:
    return replace(run, firmware=run.firmware and replace(run.firmware, symbols=[]), tests=[])

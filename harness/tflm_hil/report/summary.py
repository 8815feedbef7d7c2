"""The table at the end of a terminal session."""

from __future__ import annotations

from collections.abc import Iterator

from rich.table import Table

from tflm_hil.report.baseline import baseline_lines, comparison_lines
from tflm_hil.report.publish import Published
from tflm_hil.report.text import listed, number, percent, table_lines
from tflm_hil.report.wording import agreement, interrupted, shared_work, verdict, where
from tflm_hil.results.agreement import agreements
from tflm_hil.results.metrics import METRICS
from tflm_hil.results.model import Results, Run

COLUMNS = [metric for metric in METRICS if metric.column]
RAM = (
    "static RAM: .data and .bss, with the arena, without stack and link buffers; RAM total: static RAM, link buffers "
    "and the stack at its deepest"
)


def summary_lines(published: Published) -> list[str]:
    """The runs as a table, then what is missing, where accuracy was lost, and what the baseline has to say."""
    results = published.results
    current = [run for run in results.runs if run.current]
    return [
        *_table(current),
        *comparison_lines(current),
        *(f"{run.name}: {line}" for run in current if (line := interrupted(run))),
        *(line for run in current for line in _lost_accuracy(run)),
        *(f"{pair.second.name}: {agreement(pair)}" for pair in agreements(current)),
        *(f"FAILED: {run.name}: {line}" for run in current for line in (*run.over_budget, *run.disagreements)),
        *shared_work(results),
        *_notes(current),
        *_missing(results),
        *baseline_lines(results),
        *published.lines,
    ]


def _table(runs: list[Run]) -> list[str]:
    if not runs:
        return []
    table = Table(box=None, pad_edge=False, header_style="")
    for heading in ("run", "board"):
        table.add_column(heading, no_wrap=True)
    for heading in ("windows", "differ", "accuracy", *(metric.column for metric in COLUMNS)):
        table.add_column(heading, justify="right")
    table.add_column("verdict")
    for run in runs:
        table.add_row(*_row(run))
    legend = []
    if units := sorted({run.latency.unit for run in runs if run.latency}):
        legend.append(f"median, max: {' or '.join(units)} an inference; flash, RAM, arena, stack: bytes")
    if any(run.firmware for run in runs):
        legend.append(RAM)
    if any(run.stale for run in runs):
        legend.append("*: measured in an earlier session, with other sources or another image")
    return [*table_lines(table), *legend]


def _notes(runs: list[Run]) -> Iterator[str]:
    """What was not judged, each reason once with the runs that it is about."""
    about: dict[str, list[str]] = {}
    for run in runs:
        for note in run.notes:
            about.setdefault(note, []).append(run.name)
    for note, names in about.items():
        yield f"{', '.join(names)}: {note}"


def _missing(results: Results) -> Iterator[str]:
    """What the verdicts do without."""
    for gap in results.gaps:
        yield f"incomplete: {gap}"
    for run in results.runs:
        if run.current and run.not_run:
            tests = listed([_short(test) for test in run.not_run])
            yield f"{run.name}: {len(run.not_run)} of {len(run.tests)} tests have not run: {tests}"
    for run in results.runs:
        if not run.current:
            before = f", earlier: {run.earlier_verdict}" if run.earlier_verdict else ""
            yield f"{run.name}: incomplete, none of its {len(run.tests)} tests has run{before}"
    for name in results.left_out:
        yield f"{name}: left out"
    for name, reason in results.skipped.items():
        yield f"{name}: left out by its model.toml: {reason}"


def _short(test: str) -> str:
    file, separator, rest = test.partition("::")
    return f"{file.rpartition('/')[2]}{separator}{rest}"


def _lost_accuracy(run: Run) -> list[str]:
    """Where the device is less accurate than the trained network: which step cost most of it."""
    steps = run.attribution.steps if run.attribution else []
    if len(steps) < 2 or (steps[-1].accuracy or 0) >= (steps[0].accuracy or 0):
        return []
    worst = max(steps[1:], key=lambda step: step.lost - step.gained)
    return [
        f"{run.name}: accuracy falls from {percent(steps[0].accuracy)} ({steps[0].name}) to "
        f"{percent(steps[-1].accuracy)}, most of all with {worst.name}: {worst.lost:,} windows lost, "
        f"{worst.gained:,} gained"
    ]


def _row(run: Run) -> list[str]:
    parity = run.parity
    starred = "*" if "parity" in run.stale else ""
    return [
        run.name,
        where(run),
        number(parity.windows if parity else None) + starred,
        number(parity.label_mismatches if parity else None) + starred,
        percent(parity.accuracy_device if parity else None) + starred,
        *(number(metric.of(run)) + ("*" if metric.group in run.stale else "") for metric in COLUMNS),
        verdict(run),
    ]

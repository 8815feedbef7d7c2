"""The table at the end of a terminal session."""

from __future__ import annotations

from rich.table import Table

from harness.report.publish import Published
from harness.report.results import LatencyFigures, Run
from harness.report.text import number, percent, table_lines


def summary_lines(published: Published) -> list[str]:
    """The runs as a table, then what the baseline has to say."""
    table = Table(box=None, pad_edge=False, header_style="")
    for heading in ("run", "board"):
        table.add_column(heading, no_wrap=True)
    for heading in ("windows", "differ", "accuracy", "median", "max", "flash", "RAM", "arena", "stack"):
        table.add_column(heading, justify="right")
    table.add_column("verdict")
    for run in published.results.runs:
        table.add_row(*_row(run))
    units = {run.latency.unit for run in published.results.runs if run.latency}
    legend = f"median, max: {' or '.join(sorted(units))} an inference; flash, RAM, arena, stack: bytes" if units else ""
    lost = [line for run in published.results.runs for line in _lost_accuracy(run)]
    return [*table_lines(table), *filter(None, [legend]), *lost, *published.notes]


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
    parity, firmware = run.parity, run.firmware
    return [
        run.name,
        run.emulator or run.board,
        number(parity.windows if parity else None),
        number(parity.label_mismatches if parity else None),
        percent(parity.accuracy_device if parity else None),
        *_latency(run.latency),
        number(firmware.flash_bytes if firmware else None),
        number(firmware.ram_bytes if firmware else None),
        number(firmware.arena_bytes if firmware else None),
        number(firmware.stack_peak_bytes if firmware else None),
        run.verdict,
    ]


def _latency(latency: LatencyFigures | None) -> list[str]:
    return [number(latency.median), number(latency.max)] if latency else ["-", "-"]

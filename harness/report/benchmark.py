"""What was benched, as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.table import Table

from harness.bench import Compilation, Figures, Goal, Refusal, Row
from harness.report.text import table_lines


def goal_lines(rows: Sequence[Row]) -> list[str]:
    """Every goal with its figure, its limit and their ratio."""
    table = Table("what", "measured", "goal", "ratio", "", box=None, pad_edge=False)
    for row in rows:
        if isinstance(row, Goal):
            table.add_row(row.what, row.measured, row.limit, f"{row.ratio:.3f}", "met" if row.met else "MISSED")
    return table_lines(table)


def engine_lines(rows: Sequence[Row]) -> list[str]:
    """Each network with each engine, and below it the first engine's share of the other's figures."""
    table = Table("network", "engine", "target", box=None, pad_edge=False)
    for heading in ("instructions", "flash", "without model", "RAM", "arena", "stack"):
        table.add_column(heading, justify="right")
    table.add_column("answers as host TFLM's")
    measured = [row for row in rows if isinstance(row, Figures)]
    for network in dict.fromkeys(row.network for row in measured):
        engines = [row for row in measured if row.network == network]
        for row in engines:
            table.add_row(network, row.engine, row.target, *(f"{value:,}" for value in _values(row)), row.answers)
        if len(engines) == 2:
            ratios = [f"{a / b:.2f}" if b else "" for a, b in zip(*map(_values, engines), strict=True)]
            table.add_row("", " / ".join(row.engine for row in engines), "", *ratios)
    return table_lines(table)


def remarks(rows: Sequence[Row]) -> Iterator[str]:
    """What an engine refused, where its answers are wrong, and how long the slowest compilation took."""
    for row in rows:
        if isinstance(row, Refusal):
            yield f"{row.network}, {row.engine}: not measured: {row.reason}"
        elif isinstance(row, Figures) and not row.equal:
            yield f"{row.network}, {row.engine}: wrong answers: {row.answers}"
    slowest = max((row for row in rows if isinstance(row, Compilation)), key=lambda row: row.seconds, default=None)
    if slowest:
        yield f"compiling {slowest.network} to C took {slowest.seconds:.2f} s, the longest of all networks"


def _values(row: Figures) -> tuple[int, ...]:
    return row.instructions, row.flash, row.code, row.ram, row.arena, row.stack

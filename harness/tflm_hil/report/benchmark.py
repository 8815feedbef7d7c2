"""What was benched, as text for a terminal and as JSON."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence

import msgspec
from rich.table import Table

from tflm_hil.commands.bench.rows import Compilation, Figures, Goal, Row, Unmeasured
from tflm_hil.report.text import table_lines

SCHEMA = "hil-bench/1"


def line(row: Figures | Unmeasured) -> str:
    """One measurement, as it is said at once."""
    name = f"{row.network:<30} {row.engine:<5}"
    if isinstance(row, Unmeasured):
        return f"{name} not measured: {row.reason}"
    return (
        f"{name} {row.instructions:>12,} instructions  {_per_unit(row):>16}  flash {row.flash:>8,}  "
        f"RAM total {row.ram_total:>8,}  {row.answers}"
    )


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
    for heading in ("instructions", "a unit", "flash", "without model", "static RAM", "RAM total", "arena", "stack"):
        table.add_column(heading, justify="right")
    table.add_column("answers as host TFLM's")
    measured = [row for row in rows if isinstance(row, Figures)]
    for network in dict.fromkeys(row.network for row in measured):
        engines = [row for row in measured if row.network == network]
        for row in engines:
            instructions, *bytes_ = (f"{value:,}" for value in _values(row))
            table.add_row(network, row.engine, row.target, instructions, _per_unit(row), *bytes_, row.answers)
        if len(engines) == 2:
            ratio, *ratios = (f"{a / b:.2f}" if b else "" for a, b in zip(*map(_values, engines), strict=True))
            table.add_row("", " / ".join(row.engine for row in engines), "", ratio, "", *ratios)
    return table_lines(table)


def remarks(rows: Sequence[Row]) -> Iterator[str]:
    """What could not be measured, where answers are wrong, and how long the slowest compilation took."""
    for row in rows:
        if isinstance(row, Unmeasured):
            yield f"{row.network}, {row.engine}: not measured: {row.reason}"
        elif isinstance(row, Figures) and not row.equal:
            yield f"{row.network}, {row.engine}: wrong answers: {row.answers}"
    slowest = max((row for row in rows if isinstance(row, Compilation)), key=lambda row: row.seconds, default=None)
    if slowest:
        yield f"compiling {slowest.network} to C took {slowest.seconds:.2f} s, the longest of all networks"


def as_json(rows: Sequence[Row], tools: Mapping[str, str], missing: Mapping[str, str]) -> str:
    """All rows, each with its `kind`; `tools` are the versions they were measured with, `missing` engines and why."""
    found = []
    for row in rows:
        entry = {"kind": type(row).__name__.lower(), **dataclasses.asdict(row)}
        if isinstance(row, Goal):
            entry["met"] = row.met
        found.append(entry)
    content = {"schema": SCHEMA, "toolchain": dict(tools), "missing_engines": dict(missing), "rows": found}
    return msgspec.json.format(msgspec.json.encode(content)).decode() + "\n"


def _per_unit(row: Figures) -> str:
    return "" if row.per_unit is None else f"{row.per_unit:.2f} / {row.unit}"


def _values(row: Figures) -> tuple[int, ...]:
    return row.instructions, row.flash, row.code, row.ram, row.ram_total, row.arena, row.stack

"""What was benched, as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.table import Table

from tflm_hil.report.text import number, table_lines
from tflm_hil.report.wording import answers
from tflm_hil.results.model import Results, Run


def line(run: Run) -> str:
    """One measurement, as it is said at once."""
    name = f"{run.network:<30} {run.engine:<5}"
    instructions, flash, _, _, ram_total, *_ = _values(run)
    if run.firmware is None:
        return f"{name} not measured: {_why(run)}"
    return (
        f"{name} {number(instructions):>12} instructions  {_per_unit(run):>16}  flash {number(flash):>8}  "
        f"RAM total {number(ram_total):>8}  {answers(run)}"
    )


def goal_lines(results: Results) -> list[str]:
    """Every goal with its figure, its limit and their ratio."""
    table = Table("what", "measured", "goal", "ratio", "", box=None, pad_edge=False)
    for run in results.runs:
        for goal in run.bench.goals if run.bench else []:
            table.add_row(goal.what, goal.measured, goal.limit, f"{goal.ratio:.3f}", "met" if goal.met else "MISSED")
    return table_lines(table)


def engine_lines(results: Results) -> list[str]:
    """Each network with each engine, and below two of them the first one's share of the other's figures."""
    table = Table("network", "engine", "target", box=None, pad_edge=False)
    for heading in ("instructions", "a unit", "flash", "without model", "static RAM", "RAM total", "arena", "stack"):
        table.add_column(heading, justify="right")
    table.add_column("answers as host TFLM's")
    measured = [run for run in results.runs if run.firmware]
    for network in dict.fromkeys(run.network for run in measured):
        engines = [run for run in measured if run.network == network]
        for run in engines:
            instructions, *sizes = map(number, _values(run))
            table.add_row(network, run.engine, run.target, instructions, _per_unit(run), *sizes, answers(run))
        if len(engines) == 2:
            ratio, *ratios = (f"{a / b:.2f}" if a and b else "" for a, b in zip(*map(_values, engines), strict=True))
            table.add_row("", " / ".join(run.engine for run in engines), "", ratio, "", *ratios)
    return table_lines(table)


def remarks(results: Results) -> Iterator[str]:
    """What could not be measured, where answers are wrong, and how long the slowest compilation took."""
    for engine, reason in results.missing_engines.items():
        yield f"without engine {engine}: {reason}"
    for run in results.runs:
        if run.firmware is None:
            yield f"{run.network}, {run.engine}: not measured: {_why(run)}"
        elif run.parity and run.parity.mismatches:
            yield f"{run.network}, {run.engine}: wrong answers: {answers(run)}"
    compilations = [
        (run.bench.compilation.seconds, run.network) for run in results.runs if run.bench and run.bench.compilation
    ]
    if compilations:
        seconds, network = max(compilations)
        yield f"compiling {network} to C took {seconds:.2f} s, the longest of all networks"


def _why(run: Run) -> str:
    return next((case.reason for case in run.tests if case.reason), "its turn did not come")


def _per_unit(run: Run) -> str:
    if run.latency is None or run.bench is None or not run.bench.work:
        return ""
    return f"{run.latency.max / run.bench.work:.2f} / {run.bench.unit}"


def _values(run: Run) -> tuple[int | None, ...]:
    """The figures of a row: instructions of the slowest inference, and bytes."""
    sizes = run.firmware
    if sizes is None:
        return (None,) * 7
    instructions = run.latency.max if run.latency else None
    ram = sizes.ram_bytes, sizes.ram_total_bytes, sizes.arena_bytes, sizes.stack_peak_bytes
    return instructions, sizes.flash_bytes, sizes.code_bytes, *ram

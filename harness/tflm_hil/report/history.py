"""The history in a terminal: its sessions, and how a figure went, as a line of small bars or commit by commit.

It imports nothing that needs the results model, because that takes longer than reading 10,000 runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.table import Table

from tflm_hil.report.text import SHORT_COMMIT, figure, table_lines
from tflm_hil.results.history.query import Point, Series, SessionLine

BARS = "▁▂▃▄▅▆▇█"
SPARK_COLUMNS = 60
BAR_COLUMNS = 30


def session_lines(found: Sequence[SessionLine]) -> list[str]:
    """A table of sessions."""
    table = Table("session", "when", "commit", "branch", "verdicts", "runs", box=None)
    for each in found:
        verdicts = ", ".join(f"{count} {verdict}" for verdict, count in sorted(each.verdicts.items()))
        names = ", ".join(each.runs[:3]) + (f" and {len(each.runs) - 3} more" if len(each.runs) > 3 else "")
        table.add_row(f"@{each.number}", each.created, sources(each), each.branch or "-", verdicts, names)
    return table_lines(table)


def overview_lines(metric: str, found: Sequence[Series]) -> list[str]:
    """A row for each run: the figure at both ends, and its way in between."""
    table = Table("run", "unit", "points", "first", "last", "change", metric, box=None)
    for each in found:
        values = [point.value for point in each.points]
        table.add_row(
            *(each.label, each.unit or "-", f"{len(values):,}", figure(values[0], each.unit)),
            *(figure(values[-1], each.unit), change(values[0], values[-1], each.unit), spark(values)),
        )
    return table_lines(table)


def series_lines(metric: str, series: Series, limit: int) -> Iterator[str]:
    """The last `limit` points, one a row with a bar, and the way of all of them."""
    values = [point.value for point in series.points]
    low, high = min(values), max(values)
    unit = f" in {series.unit}" if series.unit else ""
    yield f"{metric} of {series.label}{unit}: {figure(low, series.unit)} to {figure(high, series.unit)}"
    states = "state" if len(values) == 1 else "states"
    yield f"{len(values):,} {states} of the sources, the last on the right: {spark(values)}"
    table = Table("session", "when", "commit", "branch", "verdict", metric, "change", "", box=None)
    last = series.points[-limit:]
    before = [None, *values][-len(last) - 1 : -1] if len(last) == len(values) else values[-len(last) - 1 : -1]
    for point, earlier in zip(last, before, strict=True):
        share = (point.value - low) / (high - low) if high > low else 1.0
        table.add_row(
            *(f"@{point.session}", point.created, sources(point), point.branch or "-", point.verdict),
            figure(point.value, series.unit),
            "" if earlier is None else change(earlier, point.value, series.unit),
            "█" * max(1, round(share * BAR_COLUMNS)),
        )
    yield from table_lines(table)


def spark(values: Sequence[float]) -> str:
    """One character for each value, from the lowest to the highest bar; for many values, the last of each stretch."""
    columns = min(len(values), SPARK_COLUMNS)
    sampled = [values[(column + 1) * len(values) // columns - 1] for column in range(columns)]
    low, high = min(values), max(values)
    steps = len(BARS) - 1
    return "".join(BARS[round((value - low) / (high - low) * steps) if high > low else 0] for value in sampled)


def change(before: float, now: float, unit: str) -> str:
    """By how much it changed: of a fraction in points, otherwise relatively; "" if it did not."""
    if before == now:
        return ""
    if not unit:
        return f"{100 * (now - before):+.2f} points"
    return f"{(now - before) / abs(before):+.1%}" if before else f"{now:+,}"


def sources(where: SessionLine | Point) -> str:
    """The commit, shortly, with a plus sign if there were local changes."""
    return (where.commit[:SHORT_COMMIT] or "unknown") + ("+" if where.dirty else "")

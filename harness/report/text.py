"""Figures and tables as text."""

from __future__ import annotations

import io
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

# A table that wraps is worse than one that a narrow terminal folds, so columns are never squeezed.
WIDEST = 200


LISTED = 4


def number(value: int | float | None) -> str:
    """A count with thousands separators, or a dash where it was not measured."""
    return "-" if value is None else f"{value:,}"


def ordinal(value: int) -> str:
    """E.g. 2nd."""
    suffix = "th" if value // 10 % 10 == 1 else {1: "st", 2: "nd", 3: "rd"}.get(value % 10, "th")
    return f"{value}{suffix}"


def listed(names: Sequence[str]) -> str:
    """The first of `names`, and how many more there are."""
    more = [f"and {len(names) - LISTED} more"] if len(names) > LISTED else []
    return ", ".join([*names[:LISTED], *more])


def percent(value: float | None) -> str:
    """A fraction as a percentage, or a dash where it is unknown."""
    return "-" if value is None else f"{value:.1%}"


def table_lines(table: Table) -> list[str]:
    """`table` as plain lines."""
    buffer = io.StringIO()
    Console(file=buffer, width=WIDEST, color_system=None, markup=False, highlight=False, emoji=False).print(table)
    return [line.rstrip() for line in buffer.getvalue().splitlines()]

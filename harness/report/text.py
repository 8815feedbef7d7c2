"""Figures and tables as text."""

from __future__ import annotations

import io

from rich.console import Console
from rich.table import Table

# A table that wraps is worse than one that a narrow terminal folds, so columns are never squeezed.
WIDEST = 200


def number(value: int | None) -> str:
    """A count with thousands separators, or a dash where it was not measured."""
    return "-" if value is None else f"{value:,}"


def percent(value: float | None) -> str:
    """A fraction as a percentage, or a dash where it is unknown."""
    return "-" if value is None else f"{value:.1%}"


def table_lines(table: Table) -> list[str]:
    """`table` as plain lines."""
    buffer = io.StringIO()
    Console(file=buffer, width=WIDEST, color_system=None, markup=False, highlight=False, emoji=False).print(table)
    return [line.rstrip() for line in buffer.getvalue().splitlines()]

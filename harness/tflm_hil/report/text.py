"""Figures and tables as text."""

from __future__ import annotations

import io
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

# A table that wraps is worse than one that a narrow terminal folds, so columns are never squeezed, nor names cut.
WIDEST = 10_000

LISTED = 4
SHORT_COMMIT = 12
"""So many digits of a commit's hash are shown."""


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


def first_lines(text: str, lines: int, longest: int) -> str:
    """The first `lines` of `text`, of at most `longest` characters together; an ellipsis stands for what follows."""
    shown = "\n".join(text.splitlines()[:lines])[:longest]
    return shown if shown == text.strip() else f"{shown}…"


def cell(text: str) -> str:
    """`text` as it stands in a table of Markdown."""
    return text.replace("|", "\\|")


def figure(value: float, unit: str) -> str:
    """`value` for people: a percentage if it has no unit, which makes it a fraction."""
    return f"{value:,.15g}" if unit else f"{value:.2%}"


def percent(value: float | None) -> str:
    """A fraction as a percentage, or a dash where it is unknown."""
    return "-" if value is None else f"{value:.1%}"


def shortened(names: Sequence[str], longest: int) -> list[str]:
    """`names` with what is too long cut in the middle; those that would then look the same end with a number."""
    head = (longest - 2) // 3

    def cut(name: str, end: str = "") -> str:
        return f"{name[:head]}..{name[head + 2 + len(end) - longest :]}{end}"

    alike: dict[str, list[str]] = {}
    for name in dict.fromkeys(names):
        if len(name) > longest:
            alike.setdefault(cut(name), []).append(name)
    return [
        name
        if len(name) <= longest
        else cut(name, f"~{alike[cut(name)].index(name) + 1}" if len(alike[cut(name)]) > 1 else "")
        for name in names
    ]


def table_lines(table: Table) -> list[str]:
    """`table` as plain lines."""
    buffer = io.StringIO()
    Console(file=buffer, width=WIDEST, color_system=None, markup=False, highlight=False, emoji=False).print(table)
    return [line.rstrip() for line in buffer.getvalue().splitlines()]

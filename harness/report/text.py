"""Figures as text."""

from __future__ import annotations


def number(value: int | None) -> str:
    """A count with thousands separators, or a dash where it was not measured."""
    return "-" if value is None else f"{value:,}"


def percent(value: float | None) -> str:
    """A fraction as a percentage, or a dash where it is unknown."""
    return "-" if value is None else f"{value:.1%}"

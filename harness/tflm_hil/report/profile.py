"""What each operator takes, as text."""

from __future__ import annotations

from rich.table import Table

from tflm_hil.report.text import number, percent, shortened, table_lines
from tflm_hil.results.groups import OperatorFigures, ProfileFigures

BAR = 24
LONGEST_NAME = 40


def profile_lines(profile: ProfileFigures) -> list[str]:
    """A table of the operators in the order of execution, each with a bar, and what lies between them."""
    table = Table("", "operator", "output", box=None)
    for heading in (profile.unit, "share", "MAC", f"{profile.unit} a MAC"):
        table.add_column(heading, justify="right")
    table.add_column("")
    most = max((operator.count for operator in profile.operators), default=0)
    names = shortened([operator.output for operator in profile.operators], LONGEST_NAME)
    for operator, name in zip(profile.operators, names, strict=True):
        bar = "█" * round(BAR * operator.count / most) if most else ""
        table.add_row(f"#{operator.index}", operator.kind, name, *_figures(operator, profile), bar)
    table.add_row("", "between the operators", "", number(between(profile)), share(between(profile), profile), "", "")
    macs = sum(operator.macs for operator in profile.operators)
    whole = OperatorFigures(0, "", "", profile.whole, macs)
    table.add_row("", "the inference", profile.sample, *_figures(whole, profile))
    return table_lines(table)


def between(profile: ProfileFigures) -> int:
    """What the inference takes beside its operators. On hardware, caches may make it negative."""
    return profile.whole - sum(operator.count for operator in profile.operators)


def per_mac(operator: OperatorFigures) -> str:
    """The count of one multiply-accumulate, or a dash where there is none."""
    return f"{operator.count / operator.macs:.2f}" if operator.macs else "-"


def _figures(operator: OperatorFigures, profile: ProfileFigures) -> tuple[str, ...]:
    return number(operator.count), share(operator.count, profile), number(operator.macs or None), per_mac(operator)


def share(count: int, profile: ProfileFigures) -> str:
    """`count` as a part of the inference."""
    return percent(count / profile.whole if profile.whole else None)

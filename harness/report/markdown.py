"""The report as Markdown, for people and for pull requests."""

from __future__ import annotations

import jinja2

from harness.report.baseline import Comparison
from harness.report.results import Results
from harness.report.text import number, percent

_environment = jinja2.Environment(
    loader=jinja2.PackageLoader("harness.report"),
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
    undefined=jinja2.StrictUndefined,
    autoescape=False,
)
_environment.filters.update(number=number, percent=percent)


def render(results: Results, comparison: Comparison | None) -> str:
    """The text of report.md."""
    return _environment.get_template("report.md.j2").render(results=results, comparison=comparison)

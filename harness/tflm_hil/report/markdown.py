"""The report as Markdown, for people and for pull requests."""

from __future__ import annotations

from collections.abc import Sequence

import jinja2

from tflm_hil.boards.targets import TARGETS
from tflm_hil.report.text import cell, number, percent
from tflm_hil.report.wording import causes, mistakes, verdict
from tflm_hil.results.baseline import Comparison
from tflm_hil.results.model import Results, Run

_environment = jinja2.Environment(
    loader=jinja2.PackageLoader("tflm_hil.report"),
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
    undefined=jinja2.StrictUndefined,
    autoescape=False,
)
_environment.filters.update(
    number=number, percent=percent, cell=cell, verdict=verdict, causes=causes, mistakes=mistakes
)


def render(results: Results, comparison: Comparison | None, lines: Sequence[str] = ()) -> str:
    """The text of report.md. `lines` are those of other plugins."""
    return _environment.get_template("report.md.j2").render(
        results=results, comparison=comparison, lines=lines, side_by_side=_side_by_side(results.runs)
    )


def _side_by_side(runs: list[Run]) -> list[tuple[Run, str]]:
    """The runs, each with its core, in the order in which cores are to be compared; none where there is but one."""
    if len({run.target for run in runs}) < 2:
        return []
    order = list(TARGETS)
    cores = [(run, TARGETS[run.target].core) for run in runs if run.target in TARGETS]
    return sorted(cores, key=lambda pair: (pair[0].model, pair[0].variant, pair[0].engine, order.index(pair[0].target)))

"""The text of report.html: what is drawn of a `Results`, in the templates."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Sequence

import jinja2
from markupsafe import Markup

from tflm_hil.report import changes, history, markup, text, wording
from tflm_hil.report.headline import headline
from tflm_hil.report.html import chain, distribution, footprint, overview, traces, trend
from tflm_hil.report.html.room import rooms
from tflm_hil.report.html.run_view import view
from tflm_hil.report.html.visible import visible
from tflm_hil.results.agreement import agreements
from tflm_hil.results.model import Results

_environment = jinja2.Environment(
    loader=jinja2.PackageLoader("tflm_hil.report.html"),
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=jinja2.StrictUndefined,
    autoescape=True,
    finalize=visible,
)
_environment.filters.update(
    number=text.number,
    percent=text.percent,
    shown=text.figure,
    difference=changes.difference,
    difference_shortly=changes.difference_shortly,
    main_causes=changes.main_causes,
    cause_figures=changes.figures,
    about_predictions=changes.about_predictions,
    effect=changes.effect,
    effects=lambda flips: Counter(map(changes.effect, flips)).items(),
    scores=changes.scores,
    state=history.sources,
    flips=changes.flips,
    first_lines=text.first_lines,
    cut=markup.cut,
    cause_name=lambda cause: (cause.kind, cause.name),
    verdict=wording.verdict,
    where=wording.where,
    answers=wording.answers,
    interrupted=wording.interrupted,
    mistakes=wording.mistakes,
    agreement=wording.agreement,
)
_environment.globals.update(chain=chain, distribution=distribution, footprint=footprint, traces=traces, trend=trend)
del _environment.globals["lipsum"]


def render(results: Results, trends: trend.Trends | None = None, lines: Sequence[str] = ()) -> str:
    """The text of report.html; `lines` are those of other plugins.

    What may run in it, and how it may look, is told by hashes: text from elsewhere that got through as markup could
    neither run nor fetch anything.
    """
    shared = zip(results.runs, rooms(results.runs), strict=True)
    views = [view(run, number, trends or {}, room) for number, (run, room) in enumerate(shared, 1)]
    style, script = _inline("report.css") + _WIDTHS, _inline("report.js")
    return _environment.get_template("page.html.j2").render(
        results=results,
        headline=headline(results),
        views=views,
        worse=overview.changed(views, "regressed"),
        better=overview.changed(views, "improved"),
        flipped=[view for view in views if view.run.comparison and view.run.comparison.flips],
        matrix=overview.matrix(views),
        most=overview.MOST,
        agreements=agreements(results.runs),
        shared_work=wording.shared_work(results),
        lines=lines,
        style=style,
        script=script,
        style_hash=_hash(style),
        script_hash=_hash(script),
    )


_WIDTHS = Markup("".join(f".w{share}{{--w:{share}%}}" for share in range(101)))
"""Shares as classes, because a style attribute is no style sheet of ours, and would not be allowed."""


def _inline(name: str) -> Markup:
    loader = _environment.loader
    assert loader is not None
    return Markup(loader.get_source(_environment, name)[0])


def _hash(content: str) -> str:
    """The source expression of a Content-Security-Policy for an element with this `content`."""
    return f"sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}"

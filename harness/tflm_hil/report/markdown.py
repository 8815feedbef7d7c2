"""The report as Markdown, for people and for pull requests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tflm_hil.report.headline import headline
from tflm_hil.report.markdown_templates import markdown_environment
from tflm_hil.report.markup import code, prose
from tflm_hil.report.profile import between, per_mac, share
from tflm_hil.report.sections import Section, compared, first, source_line
from tflm_hil.report.text import cell
from tflm_hil.report.wording import agreement, causes, interrupted, mistakes, shared_work, verdict, where
from tflm_hil.results.agreement import agreements
from tflm_hil.results.model import Results, Run
from tflm_hil.targets import core_order

LONGEST = 10_000
MOST = 1_000
"""So many items of a section are enough."""


def _whole(text: str) -> str:
    """`text` from elsewhere, which is hardly ever cut here."""
    return prose(text, LONGEST)


_environment = markdown_environment("tflm_hil.report")
_environment.filters.update(
    prose=_whole,
    cell=lambda text: cell(_whole(text)),
    code_cell=lambda text, longest=LONGEST: cell(code(text, longest)),
    sentence=lambda text: _whole(text[:1].upper() + text[1:]),
    verdict=verdict,
    causes=causes,
    interrupted=interrupted,
    mistakes=mistakes,
    agreement=agreement,
    where=where,
    between=between,
    per_mac=per_mac,
    share=share,
)


def render(results: Results, lines: Sequence[str] = ()) -> str:
    """The text of report.md. `lines` are those of other plugins."""
    return _environment.get_template("report.md.j2").render(
        results=results,
        lines=lines,
        verdict_line=str(headline(results)),
        source_line=source_line(results),
        first=first(results),
        compared=[_readable(section) for section in compared(results)],
        side_by_side=_side_by_side(results.runs),
        agreements=agreements(results.runs),
        shared_work=shared_work(results),
    )


def _readable(section: Section) -> Section:
    """`section` without items that nobody would read: they are in results.json."""
    more = len(section.items) - MOST
    said = f"\n{more:,} more {section.noun} are in results.json.\n" if more > 0 else ""
    return replace(section, items=section.items[:MOST], foot=section.foot + said)


def _side_by_side(runs: list[Run]) -> list[tuple[Run, str]]:
    """The runs, each with its core, smaller cores first; none if all have the same target."""
    if len({run.target for run in runs}) < 2:
        return []

    def key(run: Run) -> tuple[str, str, str, list[str | int], str]:
        return run.model, run.variant, run.engine, core_order(_core(run)), run.target

    return [(run, _core(run)) for run in sorted(runs, key=key)]


def _core(run: Run) -> str:
    return run.firmware.core if run.firmware else "-"

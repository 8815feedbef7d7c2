"""What a report in Markdown says first: what got worse and why, what failed, what got better; then all else.

Each section is a heading and items, such as the rows of a table, so that a text of limited length can leave out some.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, overload

from tflm_hil.report import rows
from tflm_hil.report.changes import flips
from tflm_hil.report.headline import demanded_baseline, failed_tests
from tflm_hil.report.markup import block, code, prose
from tflm_hil.report.text import listed
from tflm_hil.results.comparison import Change, Verdict
from tflm_hil.results.judge import NO_BASELINE
from tflm_hil.results.model import Case, Results, Run

AT_ONCE = 20
"""So many items of a section a reader sees without unfolding anything."""
TESTS = 3
TAKE_OVER = "\n`--hil-update-baseline` makes these the baseline.\n"


class Drawn(Sequence[str]):
    """What `draw` makes of each of `things`, when it is asked for: there may be more than anybody reads."""

    def __init__(self, draw: Callable[..., str], things: Sequence[tuple[Any, ...]]) -> None:
        self._draw = draw
        self._things = things

    def __len__(self) -> int:
        return len(self._things)

    @overload
    def __getitem__(self, index: int) -> str: ...

    @overload
    def __getitem__(self, index: slice) -> Drawn: ...

    def __getitem__(self, index: int | slice) -> str | Drawn:
        if isinstance(index, slice):
            return Drawn(self._draw, self._things[index])
        return self._draw(*self._things[index])


@dataclass(frozen=True)
class Section:
    """`items`, each one or more whole lines, between `head` and `foot`. `noun` is what they are, in the plural.

    A `folded` section is only its title until somebody opens it.
    """

    title: str
    items: Sequence[str]
    noun: str
    head: str = ""
    foot: str = ""
    folded: bool = False


def sections(results: Results) -> Iterator[Section]:
    """All sections of a comment, the most important first. Only some of the items of the first ones are not folded."""
    found = first(results)
    for section in found:
        number = len(section.items)
        title = f"{section.title} ({f'{AT_ONCE} of ' if number > AT_ONCE else ''}{number:,})"
        yield replace(section, title=title, items=section.items[:AT_ONCE])
    for section in found:
        if len(section.items) > AT_ONCE:
            title = f"{section.title}: the other {section.noun} ({len(section.items) - AT_ONCE:,})"
            yield replace(section, title=title, items=section.items[AT_ONCE:], folded=True)
    for section in [*compared(results), *_rest(results)]:
        yield replace(section, title=f"{section.title} ({len(section.items):,})", folded=True)


def source_line(results: Results) -> str:
    """What was tested, and against which commit."""
    git = results.git
    text = f"Commit {rows.commit(str(git.get('commit') or ''))}"
    if git.get("branch"):
        text += f" of {code(str(git['branch']))}"
    if git.get("dirty"):
        text += " with local changes"
    bases = {rows.commit(run.comparison.base.commit) for run in results.runs if run.comparison}
    against = f"{len(bases)} commits" if len(bases) > 1 else f"commit {next(iter(bases))}" if bases else "nothing"
    return f"{text}, compared with {against}"


def first(results: Results) -> list[Section]:
    """What everybody has to see."""
    worse, better = (_changes(results.runs, verdict) for verdict in ("regressed", "improved"))
    return _with_items(
        Section("What got worse", Drawn(rows.worse, worse), "figures", rows.WORSE),
        Section("What failed", list(_failures(results)), "failures"),
        Section("What got better", Drawn(rows.changed, better), "figures", rows.CHANGED, TAKE_OVER),
    )


def compared(results: Results) -> list[Section]:
    """All else of the comparison with the baselines."""
    runs = results.runs
    moved = [*_changes(runs, "regressed"), *_changes(runs, "improved")]
    flipped = [(run, flip) for run in runs for flip in flips(run)]
    causes = [(run, change, cause) for run, change in moved for cause in change.causes]
    return _with_items(
        Section("What was not compared", list(_not_compared(results)), "remarks"),
        Section("All that made the figures change", Drawn(rows.cause, causes), "causes", rows.CAUSE),
        Section("Predictions that flipped", Drawn(rows.flip, flipped), "windows", rows.FLIP),
        Section("Changes within their limits", Drawn(rows.changed, _changes(runs, "changed")), "figures", rows.CHANGED),
    )


def _rest(results: Results) -> list[Section]:
    """What some want to see."""
    return _with_items(
        Section("Failures in full", list(_in_full(results.runs)), "failures"),
        Section("All runs", Drawn(rows.overview, [(run,) for run in results.runs]), "runs", rows.RUN),
        Section("What is incomplete", list(_incomplete(results)), "remarks"),
    )


def _with_items(*found: Section) -> list[Section]:
    return [section for section in found if section.items]


def _changes(runs: Sequence[Run], verdict: Verdict) -> list[tuple[Run, Change]]:
    return [
        (run, change)
        for run in runs
        for change in (run.comparison.changes if run.comparison else [])
        if change.verdict == verdict
    ]


def _failures(results: Results) -> Iterator[str]:
    """Each reason once, in its first line, with tests that gave it."""
    for run in results.runs:
        for text in run.over_budget:
            yield f"- {code(run.name)} misses its budget: {prose(text)}\n"
        for text in run.disagreements:
            yield f"- {code(run.name)}: {prose(text)}\n"
        if demanded_baseline(run):
            yield f"- {code(run.name)}: {NO_BASELINE}\n"
    for text in results.failures:
        yield f"- {prose(text)}\n"
    for reason, cases in _by_reason(results.runs).items():
        first = reason.strip().partition("\n")[0]
        yield f"- {prose(first)} ({_tests(cases)})\n"


def _in_full(runs: Sequence[Run]) -> Iterator[str]:
    """The reasons that have more than one line, and what the device said."""
    for reason, cases in _by_reason(runs).items():
        lines = reason.strip().splitlines()
        log = next((case.log.splitlines() for case in cases if case.log), [])
        if lines[1:] or log:
            said = f"\nThe log of the device:\n\n{block(log)}" if log else ""
            yield f"{_tests(cases)}:\n\n{block(lines)}{said}"


def _by_reason(runs: Sequence[Run]) -> dict[str, list[Case]]:
    found: dict[str, list[Case]] = {}
    for run in runs:
        for case in failed_tests(run):
            found.setdefault(case.reason or "no reason was given", []).append(case)
    return found


def _tests(cases: Sequence[Case]) -> str:
    more = f" and {len(cases) - TESTS:,} more" if len(cases) > TESTS else ""
    return ", ".join(code(case.id) for case in cases[:TESTS]) + more


def _not_compared(results: Results) -> Iterator[str]:
    about: dict[str, list[str]] = {}
    for run in results.runs:
        for note in run.comparison.notes if run.comparison else []:
            about.setdefault(note, []).append(code(run.name))
    for note, names in about.items():
        yield f"- {listed(names)}: {prose(note)}\n"
    for name in results.no_baseline:
        yield f"- {code(name)} has no baseline\n"
    for name in results.stale_baselines:
        yield f"- {code(name)}: nothing ran for this baseline\n"


def _incomplete(results: Results) -> Iterator[str]:
    for gap in results.gaps:
        yield f"- {prose(gap)}\n"
    for run in results.runs:
        if run.not_run:
            tests = listed([code(test) for test in run.not_run])
            yield f"- {code(run.name)}: {len(run.not_run):,} of {len(run.tests):,} tests have not run: {tests}\n"
    for name in results.left_out:
        yield f"- {code(name)}: left out\n"
    for name, reason in results.skipped.items():
        yield f"- {code(name)}: left out by its model.toml: {prose(reason)}\n"
    for engine, reason in results.missing_engines.items():
        yield f"- without engine {code(engine)}: {prose(reason)}\n"

"""What somebody has to look at, each with the line of a file that it is about: for CI servers that show it there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from tflm_hil.report.changes import about_predictions, difference, effect, figures, flips, main_causes
from tflm_hil.report.headline import demanded_baseline, failed_tests
from tflm_hil.results.comparison import Change
from tflm_hil.results.judge import NO_BASELINE
from tflm_hil.results.model import Results, Run

# A reason may name the line that it is about, as compilers do: `models/gesture/model.toml:12`.
_LOCATION = re.compile(r"(?<![\w./-])([\w./-]+\.\w+):(\d+)\b")
_TEST = "hil.test"
_BUDGET = "hil.budget"
_REGRESSION = "hil.regression"
_EMULATORS = "hil.emulators"
_BASELINE = "hil.baseline"


@dataclass(frozen=True)
class Finding:
    """`rule` is the kind of what was found, and `subject` tells it from others of its kind, today and tomorrow.

    `path` is relative to the repository, "" if no file is to blame; `line` counts from 1.
    """

    rule: str
    subject: str
    message: str
    path: str
    line: int = 1


def findings(results: Results) -> list[Finding]:
    """All that makes a verdict `fail`, the most important first."""
    folder = str(results.git.get("folder") or "")
    return [
        *(found for run in results.runs for found in _failed(run, folder)),
        *(found for run in results.runs for found in _over_budget(run, folder)),
        *(found for run in results.runs for found in _regressed(run, folder)),
        *(found for run in results.runs for found in _apart(run)),
        *_baselines(results, folder),
    ]


def improvements(results: Results) -> list[Finding]:
    """The figures that got better, so that somebody updates the baseline."""
    folder = str(results.git.get("folder") or "")
    return [
        _change(run, change, "hil.improvement", "got better: update the baseline", folder)
        for run in results.runs
        for change in (run.comparison.improvements if run.comparison else [])
    ]


def _failed(run: Run, folder: str) -> Iterator[Finding]:
    for case in failed_tests(run):
        reason = case.reason or "no reason was given"
        path, line = _located(reason, folder) or (_inside(folder, case.id.partition("::")[0]), 1)
        yield Finding(_TEST, case.id, f"{case.id}: {reason}", path, line)


def _over_budget(run: Run, folder: str) -> Iterator[Finding]:
    for text in run.over_budget:
        path, line = _located(text, folder) or ("", 1)
        yield Finding(_BUDGET, f"{run.name} {text.partition(':')[0]}", f"{run.name}: {text}", path, line)


def _regressed(run: Run, folder: str) -> Iterator[Finding]:
    for change in run.comparison.regressions if run.comparison else []:
        yield _change(run, change, _REGRESSION, f"got worse, limit {change.limit} ({change.source})", folder)


def _apart(run: Run) -> Iterator[Finding]:
    for text in run.disagreements:
        yield Finding(_EMULATORS, f"{run.name} {text.partition(':')[0]}", f"{run.name}: {text}", "")


def _baselines(results: Results, folder: str) -> Iterator[Finding]:
    """Those that are missing or stale, where that is a failure."""
    for run in results.runs:
        if demanded_baseline(run):
            yield Finding(_BASELINE, run.name, f"{run.name}: {NO_BASELINE}", "")
    for text in results.failures:
        file = text.partition(": ")[0]
        yield Finding(_BASELINE, file, text, _inside(folder, file))


def _change(run: Run, change: Change, rule: str, what: str, folder: str) -> Finding:
    """At the line that set the limit; else at the baseline, if that is a file."""
    base = run.comparison.base.what if run.comparison else ""
    baseline = (_inside(folder, base), 1) if re.fullmatch(r"[\w./-]+\.json", base) else ("", 1)
    path, line = _located(change.source, folder) or baseline
    causes = [f"{cause.kind} {cause.name} {figures(cause)}" for cause in main_causes(change)]
    if about_predictions(change):
        causes = [f"{flip.recording} window {flip.window} {effect(flip)}" for flip in flips(run)]
    because = "".join(f"; {cause}" for cause in causes[:3])
    message = f"{run.name}: {change.metric} {difference(change)}, {what}{because}"
    return Finding(rule, f"{run.name} {run.place} {change.metric}", message, path, line)


def _located(text: str, folder: str) -> tuple[str, int] | None:
    found = _LOCATION.search(text)
    path = _inside(folder, found[1]) if found else ""
    return (path, int(found[2][:9]) or 1) if found and path else None


def _inside(folder: str, path: str) -> str:
    """`path` of the project, as seen from the repository; "" if it is not in there."""
    if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
        return ""
    return str(PurePosixPath(folder, path))

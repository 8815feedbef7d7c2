"""The search: which commit moved a figure from where it was at a good one to where it is at a bad one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from msgspec.structs import replace

from tflm_hil.commands.bisect.measure import Measured
from tflm_hil.commands.bisect.worktree import Mark, Worktree
from tflm_hil.errors import HilError
from tflm_hil.results.compare import base_of, compare
from tflm_hil.results.metrics import BY_NAME
from tflm_hil.results.model import Run
from tflm_hil.results.thresholds import Limits

Measure = Callable[[str], Measured]
Told = Callable[[str], None]


@dataclass(frozen=True)
class Found:
    """The commit that moved the figure: `run` as it was measured there, held against the commit before it.

    Beside `commit` there may be other `suspects`, which could not be measured.
    """

    commit: str
    subject: str
    before: str
    run: Run
    suspects: list[str]


def search(
    worktree: Worktree,
    measure: Measure,
    metric: str,
    ends: tuple[str, str],
    run: str | None,
    threshold: float | None,
    tell: Told,
) -> Found:
    """Find the commit between `ends`, a good and a bad one, from which on `metric` of `run` is past `threshold`.

    Without a threshold a figure is bad if it is nearer to that of the bad end. `tell` is told each judgement in a line.

    Raises:
        HilError: an end cannot be measured, they do not differ, or several runs do and none is named.
    """
    good, bad = ends
    worktree.start(good, bad)
    measured = {}
    for end in ends:
        measured[end] = measure(end)
        if not measured[end].runs:
            raise HilError(f"{end[:12]} {worktree.subject(end)}: cannot be measured: {measured[end].how}")
    judge = _Judge(metric, _name(metric, measured[good], measured[bad], run), measured[good], measured[bad], threshold)
    for end, mark in ((good, "good"), (bad, "bad")):
        tell(judge.line(measured[end], mark, worktree.subject(end)))
    ended = worktree.mark("bad", bad)
    while not ended:
        commit = worktree.next()
        if commit in measured:
            raise HilError(f"git bisect asks for {commit[:12]} again; its version may be one that is not known here")
        measured[commit] = measure(commit)
        mark = judge.mark(measured[commit])
        tell(judge.line(measured[commit], mark, worktree.subject(commit)))
        ended = worktree.mark(mark, commit)
    return _found(worktree, judge, measured, good, bad, ended)


class _Judge:
    def __init__(self, metric: str, run: str, good: Measured, bad: Measured, threshold: float | None) -> None:
        self.metric = metric
        self.run = run
        was, now = self.value(good), self.value(bad)
        assert was is not None
        assert now is not None
        self._worse = 1 if now > was else -1
        self._threshold = (was + now) / 2 if threshold is None else threshold
        if self._past(was) or not self._past(now):
            raise HilError(
                f"--threshold={threshold:g}: {metric} of {run} is {was:g} at the good commit and {now:g} at the bad "
                "one; it must lie between"
            )

    def value(self, measured: Measured) -> float | None:
        found = self.of(measured)
        return BY_NAME[self.metric].of(found) if found else None

    def of(self, measured: Measured) -> Run | None:
        return next((run for run in measured.runs if run.name == self.run), None)

    def mark(self, measured: Measured) -> Mark:
        value = self.value(measured)
        return "skip" if value is None else "bad" if self._past(value) else "good"

    def line(self, measured: Measured, mark: str, subject: str) -> str:
        value = self.value(measured)
        said = f"{value:,.15g} ({measured.how})" if value is not None else measured.how
        return f"{mark:4}  {measured.commit[:12]}  {said}  {subject}"

    def _past(self, value: float) -> bool:
        return (value - self._threshold) * self._worse > 0


def _name(metric: str, good: Measured, bad: Measured, run: str | None) -> str:
    figure = BY_NAME[metric].of
    before = {each.name: figure(each) for each in good.runs}
    now = {each.name: figure(each) for each in bad.runs}
    if run is not None and not (run in before and run in now):
        raise HilError(f"--run={run}: not measured at both commits; there are {', '.join(sorted(before))}")
    moved = [name for name in ([run] if run else sorted(before)) if name in now and before[name] != now[name]]
    if not moved:
        of_run = f" of {run}" if run else ""
        raise HilError(f"{metric}{of_run} is the same at both commits: nothing moved it")
    if len(moved) > 1:
        raise HilError(f"{metric} of several runs moved: choose one with --run: {', '.join(moved)}")
    return moved[0]


def _found(
    worktree: Worktree, judge: _Judge, measured: dict[str, Measured], good: str, bad: str, ended: list[str]
) -> Found:
    # Of suspects the bad one is the last: those before it could not be measured.
    commit = next((each for each in ended if each in measured and judge.mark(measured[each]) == "bad"), bad)
    parent = worktree.parent(commit)
    before = parent if parent in measured and judge.mark(measured[parent]) == "good" else good
    old, new = judge.of(measured[before]), judge.of(measured[commit])
    assert old is not None
    assert new is not None
    comparison = compare(base_of(old, f"{before[:12]} {worktree.subject(before)}", before), old, new, Limits())
    kept = [change for change in comparison.changes if change.metric == judge.metric]
    run = replace(new, comparison=replace(comparison, changes=kept))
    return Found(commit, worktree.subject(commit), before, run, [each for each in ended if each != commit])

"""The verdict on all runs together, in one line: what every report begins with."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Literal

from tflm_hil.results.judge import NO_BASELINE
from tflm_hil.results.model import Case, Results, Run


@dataclass(frozen=True)
class Headline:
    """The verdict, and what it is made of in a few words; `runs` counts them by their verdicts."""

    verdict: Literal["pass", "fail", "incomplete"]
    text: str
    runs: str

    def __str__(self) -> str:
        return f"{self.verdict.capitalize()}: {self.text}"


def headline(results: Results) -> Headline:
    """The verdict on `results`: that of the worst run."""
    runs = results.runs
    verdicts = Counter(run.verdict for run in runs)
    counts = ", ".join(f"{verdicts[name]} {name}" for name in ("fail", "incomplete", "pass") if verdicts[name])
    summary = f"{_count(len(runs), 'run')}{': ' * bool(counts)}{counts}"
    if verdicts["fail"] or results.failures:
        faults = ", ".join([*_faults(runs), *results.failures])
        return Headline("fail", faults or f"{_count(verdicts['fail'], 'run')} failed", summary)
    if not runs:
        return Headline("incomplete", "no run", summary)
    not_passed = len(runs) - verdicts["pass"]
    if not_passed or results.gaps:
        text = f"{not_passed:,} of {_count(len(runs), 'run')}" if not_passed else results.gaps[0]
        return Headline("incomplete", text, summary)
    better = sum(len(run.comparison.improvements) for run in runs if run.comparison)
    better_too = f", {_count(better, 'figure')} got better" if better else ""
    return Headline("pass", f"{_count(len(runs), 'run')}{better_too}", summary)


def failed_tests(run: Run) -> list[Case]:
    """The tests that failed in this session."""
    return [case for case in run.tests if case.this_session and case.outcome == "failed"]


def demanded_baseline(run: Run) -> bool:
    """Whether it fails because it has no baseline, although it must."""
    return NO_BASELINE in run.failures


def _faults(runs: list[Run]) -> list[str]:
    """What is wrong, worst first."""
    worse = sum(len(run.comparison.regressions) for run in runs if run.comparison)
    tests = sum(len(failed_tests(run)) for run in runs)
    budgets = sum(len(run.over_budget) for run in runs)
    apart = sum(bool(run.disagreements) for run in runs)
    lacking = sum(map(demanded_baseline, runs))
    return [
        f"{_count(number, what)} {done}"
        for number, what, done in (
            (worse, "figure", "got worse"),
            (tests, "test", "failed"),
            (budgets, "budget", "missed"),
            (apart, "run", "not the same in two emulators"),
            (lacking, "run", "without the baseline that it must have"),
        )
        if number
    ]


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'s' * (number != 1)}"

"""The verdicts: what may be said of each run, from what its tests reported and how it compares with the baseline."""

from __future__ import annotations

from msgspec.structs import replace

from harness.results.baseline import Comparison
from harness.results.model import Results, Run


def judge(results: Results, comparison: Comparison | None) -> Results:
    """`results` with a verdict for each run.

    `fail`: a test failed, or a figure fell behind the baseline. `pass`: every test of the run has ended in this
    session, and at least one of them passed. `incomplete`: anything else.
    """
    regressions = comparison.regressions if comparison else []
    runs = [
        _judged(run, results.gaps, [str(change) for change in regressions if change.run == run.name])
        for run in results.runs
    ]
    return replace(results, runs=runs)


def _judged(run: Run, gaps: list[str], regressions: list[str]) -> Run:
    now = [case for case in run.tests if case.this_session]
    failures = [*(case.id for case in now if case.outcome == "failed"), *regressions]
    not_run = [case.id for case in run.tests if not case.this_session]
    passed = any(case.outcome in ("passed", "xfailed") for case in now)
    complete = passed and not not_run and not gaps
    verdict = "fail" if failures else "pass" if complete else "incomplete"
    return replace(run, verdict=verdict, failures=failures, not_run=not_run)

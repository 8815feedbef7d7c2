"""The verdicts: what may be said of each run, from what its tests reported, its budget and the baseline."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from msgspec.structs import replace

from harness.models.manifest import Budget
from harness.results.baseline import Comparison
from harness.results.model import Results, Run

NOT_GATED = "accuracy is not gated: give accuracy = ... in [variants.{variant}.budgets.all] of its model.toml"


@dataclass(frozen=True)
class Expected:
    """What the manifest asks of a run. `note` says why its accuracy cannot be judged, and is empty where it can."""

    budget: Budget
    note: str = ""


def judge(results: Results, comparison: Comparison | None, expected: Mapping[str, Expected] | None = None) -> Results:
    """`results` with a verdict for each run; `expected` is by the names of runs.

    `fail`: a test failed, a figure fell behind the baseline, or the accuracy of a run that is complete misses its
    budget. `pass`: every test of the run has ended in this session, and at least one of them passed. `incomplete`:
    anything else.
    """
    regressions = comparison.regressions if comparison else []
    runs = [
        _judged(
            run,
            results.gaps,
            [str(change) for change in regressions if change.run == run.name],
            (expected or {}).get(run.name, Expected(Budget())),
        )
        for run in results.runs
    ]
    return replace(results, runs=runs)


def _judged(run: Run, gaps: list[str], regressions: list[str], expected: Expected) -> Run:
    now = [case for case in run.tests if case.this_session]
    not_run = [case.id for case in run.tests if not case.this_session]
    passed = any(case.outcome in ("passed", "xfailed") for case in now)
    complete = passed and not not_run and not gaps
    # The accuracy of some of the recordings says nothing about that of all.
    over_budget = list(_inaccurate(run, expected.budget)) if complete else []
    failures = [*(case.id for case in now if case.outcome == "failed"), *regressions, *over_budget]
    verdict = "fail" if failures else "pass" if complete else "incomplete"
    return replace(
        run,
        verdict=verdict,
        failures=failures,
        not_run=not_run,
        over_budget=over_budget,
        notes=list(_notes(run, expected)),
    )


def _inaccurate(run: Run, budget: Budget) -> Iterator[str]:
    parity, attribution = run.parity, run.attribution
    if budget.accuracy is not None:
        measured = {
            "of the device": parity.accuracy_device if parity else None,
            "of the reference": parity.accuracy_reference if parity else None,
        }
        for whose, accuracy in measured.items():
            if accuracy is None:
                yield f"accuracy {whose}: not measured, because no window has a label, but the budget asks for it"
            elif accuracy < budget.accuracy:
                yield f"accuracy {whose}: {accuracy:.2%}, below the budget of at least {budget.accuracy:.2%}"
    if budget.accuracy_drop is not None:
        drop = attribution.accuracy_drop if attribution else None
        if attribution is None or drop is None:
            yield "accuracy drop: not measured, because no window has a label, but the budget limits it"
        elif attribution.notes:
            yield f"accuracy drop: not measured along the whole chain, but the budget limits it: {attribution.notes[0]}"
        elif drop > budget.accuracy_drop:
            steps = attribution.steps
            yield (
                f"accuracy drop: {drop:.2%} from {steps[0].name} to {steps[-1].name}, over the budget of at most "
                f"{budget.accuracy_drop:.2%}"
            )


def _notes(run: Run, expected: Expected) -> Iterator[str]:
    if expected.note:
        yield expected.note
    if run.parity and run.parity.accuracy_device is not None and expected.budget.accuracy is None:
        yield NOT_GATED.format(variant=run.variant)

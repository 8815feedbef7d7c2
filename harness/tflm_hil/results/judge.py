"""The verdicts: what may be said of each run, from its tests, its budget, and what it is compared with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from msgspec.structs import replace

from tflm_hil.models.manifest import Budget
from tflm_hil.results.agreement import agreements
from tflm_hil.results.model import Results, Run
from tflm_hil.results.thresholds import Limits

NOT_GATED = "accuracy is not gated: give accuracy = ... in [variants.{variant}.budgets.all.all] of its model.toml"

NONE_PASSED = "no test of it passed, so nothing was shown to be right"

NO_BASELINE = "it has no baseline; make it with --hil-update-baseline"


@dataclass(frozen=True)
class Expected:
    """What is asked of a run: `budget` by the manifest, `limits` by whoever sets them.

    `sources` has file and line of what the budget says of accuracy. `note` says why that cannot be judged, and is empty
    where it can.
    """

    budget: Budget
    note: str = ""
    limits: Limits = field(default_factory=Limits)
    sources: Mapping[str, str] = field(default_factory=dict)


def judge(results: Results, expected: Mapping[str, Expected] | None = None, strict: bool = False) -> Results:
    """`results` with a verdict for each run; `expected` is by the names of builds.

    Of a run that is not expected, such as one of a model that this session left out, nothing is known but what earlier
    sessions noted.

    `fail`: a test failed, a figure fell behind what the run is compared with, the run is complete and over a budget or
    a limit, or it disagrees with another emulator. `pass`: every test of the run has ended in this session, and at
    least one of them passed. `incomplete`: anything else. With `strict`, a baseline that is missing or stale fails.
    """
    disagreements = {pair.second.identity: list(pair.differences()) for pair in agreements(results.runs)}
    lacking = set(results.no_baseline) if strict else set()
    runs = [
        _judged(
            run,
            results.gaps,
            # The same run on hardware has the same name, and is not of this session.
            [NO_BASELINE] if run.current and run.name in lacking else [],
            disagreements.get(run.identity, []),
            (expected or {}).get(run.build),
        )
        for run in results.runs
    ]
    stale = [f"{file}: nothing runs for this baseline; delete it" for file in results.stale_baselines if strict]
    return replace(results, runs=runs, failures=stale)


def _judged(run: Run, gaps: list[str], lacking: list[str], disagreements: list[str], expected: Expected | None) -> Run:
    now = [case for case in run.tests if case.this_session]
    not_run = [case.id for case in run.tests if not case.this_session]
    passed = any(case.outcome == "passed" for case in now)  # a failure that was expected shows nothing to be right
    complete = passed and not not_run and not gaps
    # The figures of some of the recordings say nothing about those of all.
    over_budget = [*_inaccurate(run, expected), *_exceeded(run, expected.limits)] if complete and expected else []
    regressions = [change.metric for change in run.comparison.regressions] if run.comparison else []
    failed = [case.id for case in now if case.outcome == "failed"]
    failures = [*failed, *regressions, *over_budget, *disagreements, *lacking]
    verdict = "fail" if failures else "pass" if complete else "incomplete"
    notes = list(_notes(run, expected, complete)) if expected else list(run.notes)
    if now and not (passed or failures):
        notes.append(NONE_PASSED)
    return replace(
        run,
        verdict=verdict,
        failures=failures,
        not_run=not_run,
        over_budget=over_budget,
        disagreements=disagreements,
        notes=notes,
    )


def _exceeded(run: Run, limits: Limits) -> Iterator[str]:
    for limit in limits.values:
        now = limit.metric.of(run)
        if now is not None and limit.metric.group not in run.stale and limit.exceeded(now):
            yield f"{limit.metric.name}: {limit.metric.shown(now, run)}, beyond the limit {limit} ({limit.source})"


def _inaccurate(run: Run, expected: Expected) -> Iterator[str]:
    for name, texts in (("accuracy", _below(run, expected.budget)), ("accuracy_drop", _dropped(run, expected.budget))):
        source = expected.sources.get(name)
        yield from (f"{text} ({source})" if source else text for text in texts)


def _below(run: Run, budget: Budget) -> Iterator[str]:
    if budget.accuracy is None or run.parity is None:
        return
    for whose, accuracy in (("device", run.parity.accuracy_device), ("reference", run.parity.accuracy_reference)):
        if accuracy is None:
            yield f"accuracy of the {whose}: no window has a label, but the budget asks for it"
        elif accuracy < budget.accuracy:
            yield f"accuracy of the {whose}: {accuracy:.2%}, below the budget of at least {budget.accuracy:.2%}"


def _dropped(run: Run, budget: Budget) -> Iterator[str]:
    if budget.accuracy_drop is None or run.attribution is None:
        return
    drop, steps, notes = run.attribution.accuracy_drop, run.attribution.steps, run.attribution.notes
    if drop is None:
        yield "accuracy drop: no window has a label, but the budget limits it"
    elif notes:
        yield f"accuracy drop: not measured along the whole chain, but the budget limits it: {notes[0]}"
    elif drop > budget.accuracy_drop:
        yield (
            f"accuracy drop: {drop:.2%} from {steps[0].name} to {steps[-1].name}, over the budget of at most "
            f"{budget.accuracy_drop:.2%}"
        )


def _notes(run: Run, expected: Expected, complete: bool) -> Iterator[str]:
    """What was not judged. Tests of somebody's own need not measure everything that a budget limits."""
    budget = expected.budget
    if expected.note:
        yield expected.note
    if run.parity and run.parity.accuracy_device is not None and budget.accuracy is None:
        yield NOT_GATED.format(variant=run.variant)
    for limit in expected.limits.values if complete else ():
        if limit.metric.of(run) is None:
            yield f"the limit {limit} ({limit.source}) is not judged: no test of this run measured it"
    if complete and budget.accuracy is not None and run.parity is None:
        yield "the budget of accuracy is not judged: no test of this run measured it"
    if complete and budget.accuracy_drop is not None and run.attribution is None:
        yield "the budget of accuracy_drop is not judged: no test of this run measured it"

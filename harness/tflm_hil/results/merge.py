"""Merging: what the tests of a session reported, folded to one case a test and put into what earlier sessions left.

All of it is pure. The order in which reports of different tests arrive does not matter, and merging the same session
twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from tflm_hil.results.figures import figures
from tflm_hil.results.model import BoardFigures, Case, Results, Run
from tflm_hil.results.parts import BoardPart, Contribution, RunKey

COMPILER = "arm-none-eabi-gcc"
# The worst outcome of several copies of a test counts.
WORST_FIRST = ("failed", "not run", "xfailed", "passed", "skipped")


@dataclass(frozen=True)
class Planned:
    """One copy of a test that was collected for a run. Repeats of a test (`--count`, `--dist each`) are its copies.

    It is not `selected` if -k, --lf or the like left it out.
    """

    run: RunKey
    test: str
    copy: str
    selected: bool

    @property
    def case(self) -> tuple[str, ...]:
        """What it has in common with its copies."""
        return (*map(str, self.run.values()), self.test)


@dataclass(frozen=True)
class Report:
    """One phase (setup, call, teardown) of a try of a planned test. Tries are numbered in the order they were made.

    `outcome` is passed, failed, skipped, xfailed, or rerun for a failure after which the test was tried again. A
    failure with another `when` is that of a process that died. `infrastructure` tells that it failed because of board,
    emulator, probe, toolchain or build, and `log` is the end of the UART log of a failure.
    """

    planned: Planned
    attempt: int
    when: str
    outcome: str
    reason: str | None = None
    image: str | None = None
    measured: Sequence[Contribution] = ()
    infrastructure: bool = False
    log: str = ""


@dataclass(frozen=True)
class Session:
    """What a session planned and what its tests reported. `code` names the state of the sources, if it is known.

    `gaps` says why there may be tests that it did not find. `skipped` has the reason for each run that its manifest
    leaves out, `missing_engines` for each engine that could not be had. `gone` are tests that earlier sessions knew and
    that the files which were collected do not hold any more.
    """

    created: str
    code: str | None
    git: dict[str, Any]
    host: dict[str, str]
    toolchain: dict[str, str]
    plan: Sequence[Planned]
    reports: Sequence[Report] = ()
    gaps: list[str] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    missing_engines: dict[str, str] = field(default_factory=dict)
    boards: Sequence[BoardPart] = ()
    gone: frozenset[str] = frozenset()


def merge(earlier: Results | None, session: Session) -> Results:
    """What `session` measured, put into `earlier`, of which nothing is lost; nobody has judged it yet."""
    planned: dict[tuple[str, ...], tuple[Run, list[Case]]] = {}
    for test, case in fold(session):
        run = Run(**test.run, verdict="incomplete")
        planned.setdefault(run.identity, (run, []))[1].append(case)
    before = {run.identity: run for run in earlier.runs} if earlier else {}
    selected = {Run(**test.run, verdict="").identity for test in session.plan if test.selected}
    left_out = planned.keys() - before.keys() - selected
    runs = [
        _merged(before.get(identity), run, cases, session)
        for identity, (run, cases) in planned.items()
        if identity not in left_out
    ]
    runs += [_merged(run, run, [], session) for identity, run in before.items() if identity not in planned]
    return Results(
        created=session.created,
        git=session.git,
        host=session.host,
        toolchain=session.toolchain,
        runs=sorted(runs, key=lambda run: run.identity),
        gaps=list(session.gaps),
        left_out=[planned[identity][0].name for identity in sorted(left_out)],
        skipped=dict(session.skipped),
        missing_engines=dict(session.missing_engines),
        boards=[BoardFigures(**part) for part in session.boards],
    )


def beside(earlier: Results | None, now: Results | None, session: Session) -> Results | None:
    """`earlier`, read when `session` began, with what others that ran at the same time have put there until `now`."""
    if now is None:
        return earlier
    planned = {Run(**test.run, verdict="").identity for test in session.plan}
    runs = {run.identity: run for run in earlier.runs} if earlier else {}
    runs |= {run.identity: run for run in now.runs if run.identity not in planned}
    return replace(now, runs=list(runs.values()))


def fold(session: Session) -> list[tuple[Planned, Case]]:
    """One case for each planned test: the last try of each copy counts, of several copies the worst."""
    tries: dict[tuple[tuple[str, ...], str], dict[int, list[Report]]] = {}
    for report in session.reports:
        key = (report.planned.case, report.planned.copy)
        tries.setdefault(key, {}).setdefault(report.attempt, []).append(report)
    copies: dict[tuple[str, ...], dict[str, Planned]] = {}
    for planned in session.plan:
        copies.setdefault(planned.case, {})[planned.copy] = planned
    folded = []
    for case, tests in copies.items():
        found = [_case(tests[copy].test, tries.get((case, copy), {}), session) for copy in sorted(tests)]
        folded.append((next(iter(tests.values())), _worst(found)))
    return folded


def unreported(session: Session) -> list[str]:
    """The tests that were to run, and of which a copy has not ended."""
    selected = {planned.case for planned in session.plan if planned.selected}
    return [case.id for planned, case in fold(session) if planned.case in selected and not case.this_session]


def _case(test: str, attempts: dict[int, list[Report]], session: Session) -> Case:
    if not attempts:
        return Case(id=test)
    reports = attempts[max(attempts)]
    outcome = _outcome(reports)
    if outcome == "not run":
        return Case(id=test, reason="it began, and did not end")
    return Case(
        id=test,
        outcome=outcome,
        tries=len(attempts),
        reason=next((report.reason for report in reports if report.outcome in (outcome, "rerun")), None),
        ran=session.created,
        code=session.code,
        image=next((report.image for report in reports if report.image), None),
        this_session=True,
        measured=[dict(part) for report in reports for part in report.measured],
        infrastructure=_infrastructure(reports),
        log=next((report.log for report in reports if report.log), ""),
    )


def _outcome(reports: Sequence[Report]) -> str:
    outcomes = {report.when: report.outcome for report in reports}
    if {"failed", "rerun"}.intersection(outcomes.values()):
        return "failed"
    # Set up and torn down is not tested: pytest has options that leave out what lies between.
    if "teardown" not in outcomes or ("call" not in outcomes and outcomes.get("setup") == "passed"):
        return "not run"
    return outcomes.get("call", outcomes.get("setup", "not run"))


def _infrastructure(reports: Sequence[Report]) -> bool:
    """Whether it failed for no other reason."""
    failed = [report for report in reports if report.outcome in ("failed", "rerun")]
    return bool(failed) and all(report.infrastructure for report in failed)


def _worst(copies: Sequence[Case]) -> Case:
    worst = min(copies, key=lambda case: WORST_FIRST.index(case.outcome))
    if worst.outcome == "not run" and len(copies) > 1:
        return replace(worst, reason=f"{sum(case.this_session for case in copies)} of {len(copies)} repeats have ended")
    return replace(worst, tries=max(case.tries for case in copies))


def _merged(before: Run | None, run: Run, cases: Iterable[Case], session: Session) -> Run:
    """`cases` are those of the tests that were planned; none where the session has nothing to do with this run."""
    kept = {case.id: replace(case, this_session=False) for case in before.tests} if before else {}
    tests = {case.id: case if case.this_session else kept.get(case.id, case) for case in cases}
    absent = [case for case in kept.values() if case.id not in tests and not (tests and case.id in session.gone)]
    now = [case for case in tests.values() if case.this_session]
    image = next((case.image for case in now if case.image), None)
    merged = [
        case if case.this_session else replace(case, stale=bool(case.ran) and _stale(case, session.code, image))
        for case in [*tests.values(), *absent]
    ]
    current = figures([part for case in merged if not case.stale for part in case.measured])
    old = figures([part for case in merged if case.stale for part in case.measured])
    stale = [group for group in current if current[group] is None and old[group] is not None]
    taken = [*stale, *(("outputs", "differences") if "meaning" in stale else ())]
    earlier_verdict = None
    if not now and before:
        earlier_verdict = before.verdict if before.current else before.earlier_verdict
    return replace(
        run,
        **(current | {group: old[group] for group in taken}),
        verdict="incomplete",
        failures=[],
        not_run=[],
        stale=stale,
        comparison=None,
        earlier_verdict=earlier_verdict,
        compiler=session.toolchain.get(COMPILER) if now else before and before.compiler,
        engine_version=_fact("engine_version", merged),
        model_sha256=_fact("model_sha256", merged),
        tests=merged,
    )


def _fact(name: str, cases: Iterable[Case]) -> str:
    """What tests said of their run, those of this session first; "" if none did."""
    latest_first = sorted(cases, key=lambda case: (not case.this_session, case.stale))
    return next((part[name] for case in latest_first for part in case.measured if name in part), "")


def _stale(case: Case, code: str | None, image: str | None) -> bool:
    """Whether an earlier case was measured with something else than what is there now, as far as that is known."""
    return case.code != code or bool(case.image and image and case.image != image)

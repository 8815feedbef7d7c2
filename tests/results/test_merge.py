"""Merging what tests reported: the order of reports does not matter, nothing is lost, nothing counts twice."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from tflm_hil.results.judge import judge
from tflm_hil.results.merge import Planned, Report, Session, merge, unreported
from tflm_hil.results.model import Results
from tflm_hil.results.parts import Contribution, RunKey, latency_part

TESTS = ("a.py::one", "a.py::two", "b.py::three")
COPIES = ("1", "2")
RUNS = tuple(
    RunKey(model="m", variant=variant, engine="aot", board="emulated", emulator="qemu 7", target="stm32f4")
    for variant in ("int8", "float32")
)
PLAN = [Planned(run, test, copy, True) for run in RUNS for test in TESTS for copy in COPIES]

Try = tuple[str, ...]
# What the phases of a try ended with; one that broke off lacks the last.
TRIES: st.SearchStrategy[Try] = st.sampled_from(
    [
        ("passed", "passed", "passed"),
        ("passed", "failed", "passed"),
        ("failed", "passed"),
        ("passed", "passed", "failed"),
        ("skipped", "passed"),
        ("passed", "passed"),
        ("passed",),
    ]
)


def reports(planned: Planned, attempt: int, phases: Try) -> list[Report]:
    whens = ("setup", "teardown") if len(phases) == 2 and phases[0] != "passed" else ("setup", "call", "teardown")
    measured = [Contribution(latency=latency_part("instructions", [7] * 10, []))]
    return [
        Report(planned, attempt, when, outcome, None, "image", measured if when == "call" else [])
        for when, outcome in zip(whens, phases, strict=False)
    ]


@st.composite
def sessions(draw: st.DrawFn) -> Session:
    tries = draw(st.lists(st.lists(TRIES, max_size=3), min_size=len(PLAN), max_size=len(PLAN)))
    made = [
        report
        for planned, attempts in zip(PLAN, tries, strict=True)
        for number, phases in enumerate(attempts, 1)
        for report in reports(planned, number, phases)
    ]
    return session(made, code=draw(st.sampled_from(["old", "new"])))


def session(made: list[Report], code: str = "new") -> Session:
    return Session("2026", code, {}, {}, {"arm-none-eabi-gcc": "12"}, PLAN, made)


def judged(earlier: Results | None, now: Session) -> Results:
    return judge(merge(earlier, now), None)


@settings(max_examples=40)
@given(sessions(), st.randoms())
def test_the_order_in_which_tests_report_does_not_matter(now: Session, random: object) -> None:
    shuffled = list(now.reports)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert judged(None, replace(now, reports=shuffled)) == judged(None, now)


@settings(max_examples=40)
@given(sessions(), sessions())
def test_merging_the_same_session_again_changes_nothing(earlier: Session, now: Session) -> None:
    once = judged(judged(None, earlier), now)
    again = judged(once, now)
    for run, before in zip(again.runs, once.runs, strict=True):
        assert lasting(run) == lasting(before)


def lasting(run: object) -> object:
    return {name: getattr(run, name) for name in ("tests", "latency", "verdict", "failures", "not_run", "stale")}


@settings(max_examples=40)
@given(sessions(), sessions())
def test_a_pass_is_a_pass_of_every_planned_test_and_windows_count_once(earlier: Session, now: Session) -> None:
    results = judged(judged(None, earlier), now)
    missing = unreported(now)
    for run in results.runs:
        assert [case.id for case in run.tests] == list(TESTS)
        if run.verdict == "pass":
            assert not run.not_run
            assert all(case.this_session and case.outcome in ("passed", "skipped") for case in run.tests)
        for test in run.not_run:
            assert test in missing
        assert run.latency is None or run.latency.count <= 10 * len(TESTS)


@settings(max_examples=40)
@given(sessions(), sessions())
def test_what_did_not_run_again_is_kept_and_said(earlier: Session, now: Session) -> None:
    before = {(run.name, case.id): case for run in judged(None, earlier).runs for case in run.tests}
    for run in judged(judged(None, earlier), now).runs:
        for case in run.tests:
            if not case.this_session and before[run.name, case.id].ran:
                assert case.measured == before[run.name, case.id].measured
                assert case.id in run.not_run
                assert case.stale == (earlier.code != now.code)


def test_a_copy_that_has_not_ended_leaves_its_test_unfinished() -> None:
    plan = PLAN[: len(COPIES)]
    made = reports(plan[0], 1, ("passed", "passed", "passed"))
    now = replace(session(made), plan=plan)
    (run,) = judged(None, now).runs
    assert (run.verdict, run.not_run) == ("incomplete", [TESTS[0]])
    assert run.tests[0].reason == "1 of 2 repeats have ended"


def test_a_run_whose_tests_were_all_skipped_is_no_pass() -> None:
    made = [report for planned in PLAN for report in reports(planned, 1, ("skipped", "passed"))]
    assert {run.verdict for run in judged(None, session(made)).runs} == {"incomplete"}

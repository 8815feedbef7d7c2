"""Budgets of a whole run: accuracy, what it loses on the way to the device, and preparing the windows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import pytest
from tflm_hil.checks.attribution import attribute
from tflm_hil.checks.parity import combine, compare
from tflm_hil.models.answers import UNDECIDED, Truth
from tflm_hil.models.chain import Stage
from tflm_hil.models.manifest import Budget
from tflm_hil.models.output import Meaning, OutputTable, meaning
from tflm_hil.report.publish import Published, publish
from tflm_hil.report.summary import summary_lines
from tflm_hil.results.comparison import Base, Change, Comparison
from tflm_hil.results.judge import NO_BASELINE, Expected, judge
from tflm_hil.results.merge import Planned, Report, Session, merge
from tflm_hil.results.model import Case, Results, Run, load, save
from tflm_hil.results.parts import Contribution, RunKey, attribution_part, latency_part, parity_part
from tflm_hil.results.thresholds import Limits, parse_limits

KEY = RunKey(model="m", variant="int8", engine="aot", board="emulated", emulator="qemu 7.2", target="stm32f4")
NAME = "m-int8-aot-stm32f4"
A_OR_B = meaning(None, ["a", "b"])
UP_AND_RIGHT = meaning(OutputTable("probabilities", threshold=0.5), ["up", "right"])


def predictions(device: Sequence[tuple[float, ...]], truth: Sequence[Truth], kind: Meaning = A_OR_B) -> Contribution:
    """What the device answered to windows of which the reference knows all, and what the trained network would."""
    outputs = np.array(device, np.float32)
    parity = compare("r", outputs, outputs, kind, truth, 1)
    stages = [Stage("as trained", outputs.astype(float)), Stage("on the device", outputs.astype(float))]
    return Contribution(
        parity=parity_part(parity, "tflite-micro 1", kind),
        attribution=attribution_part(attribute(stages, kind, truth), []),
    )


def half_right() -> Contribution:
    return predictions([(1, 0), (1, 0), (0, 1), (1, 0)], ["a", "b", "b", "b"])


def results(*contributions: Contribution, unfinished: bool = False) -> Results:
    tests = [Planned(KEY, f"t.py::t{number}", "", True) for number in range(len(contributions))]
    reports = [
        Report(test, 1, when, "passed", None, "00", parts)
        for test, contribution in zip(tests, contributions, strict=True)
        for when, parts in (("call", [contribution]), ("teardown", []))
    ]
    plan = [*tests, Planned(KEY, "t.py::another", "", True)] if unfinished else tests
    return merge(None, Session("2026", "0", {}, {"system": "", "python": ""}, {}, plan, reports))


def judged(budget: Budget, *contributions: Contribution, unfinished: bool = False, note: str = "") -> Run:
    (run,) = judge(results(*contributions, unfinished=unfinished), {NAME: Expected(budget, note)}).runs
    return run


def published(run: Run, folder: Path) -> Published:
    return publish(msgspec.structs.replace(results(), runs=[run]), folder)


def test_accuracy_below_its_budget_fails_a_run_whose_tests_all_passed(tmp_path: Path) -> None:
    run = judged(Budget(accuracy=0.9), half_right())
    assert run.verdict == "fail"
    assert run.over_budget == [
        "accuracy of the device: 50.00%, below the budget of at least 90.00%",
        "accuracy of the reference: 50.00%, below the budget of at least 90.00%",
    ]
    shown = published(run, tmp_path)
    assert f"FAILED: {NAME}: {run.over_budget[0]}" in summary_lines(shown)
    assert f"- {run.over_budget[0]}\n" in shown.report.read_text()
    assert judged(Budget(accuracy=0.5), half_right()).verdict == "pass"


def test_accuracy_is_that_of_all_recordings_together() -> None:
    right = predictions([(1, 0)] * 4, ["a"] * 4)
    run = judged(Budget(accuracy=0.75), half_right(), right)
    assert (run.verdict, run.parity and run.parity.accuracy_device) == ("pass", 0.75)


def test_some_of_the_recordings_say_nothing_about_the_accuracy_of_all() -> None:
    run = judged(Budget(accuracy=0.9), half_right(), unfinished=True)
    assert (run.verdict, run.over_budget) == ("incomplete", [])


def test_a_budget_for_what_was_not_measured_is_no_pass() -> None:
    unlabelled = predictions([(1, 0)], [None])
    for budget in (Budget(accuracy=0.1), Budget(accuracy_drop=0.5)):
        run = judged(budget, unlabelled)
        assert run.verdict == "fail"
        assert "no window has a label" in run.over_budget[0]


def test_tests_that_measure_no_accuracy_do_not_fail_by_its_budget_and_it_is_told() -> None:
    run = judged(Budget(accuracy=0.9, accuracy_drop=0.1), Contribution(trace="nothing else"))
    assert run.verdict == "pass"
    assert run.notes == [
        f"the budget of {what} is not judged: no test of this run measured it" for what in ("accuracy", "accuracy_drop")
    ]


def fallen(notes: list[str]) -> Contribution:
    truth: list[Truth] = ["a", "a", "b", "b"]
    trained, device = (
        np.array([(1, 0), (1, 0), (0, 1), (0, 1)], float),
        np.array([(1, 0), (0, 1), (0, 1), (0, 1)], float),
    )
    steps = attribute([Stage("as trained", trained), Stage("on the device", device)], A_OR_B, truth)
    return Contribution(attribution=attribution_part(steps, notes))


def test_what_is_lost_between_training_and_the_device_has_a_budget() -> None:
    run = judged(Budget(accuracy_drop=0.2), fallen([]))
    said = "accuracy drop: 25.00% from as trained to on the device, over the budget of at most 20.00%"
    assert (run.verdict, run.over_budget) == ("fail", [said])
    assert judged(Budget(accuracy_drop=0.25), fallen([])).verdict == "pass"


def test_a_drop_along_a_chain_without_its_beginning_is_no_pass() -> None:
    run = judged(Budget(accuracy_drop=0.9), fallen(["LiteRT is not installed"]))
    assert run.over_budget == [
        "accuracy drop: not measured along the whole chain, but the budget limits it: LiteRT is not installed"
    ]


def test_labels_without_a_budget_are_told(tmp_path: Path) -> None:
    run = judged(Budget(), half_right())
    assert run.verdict == "pass"
    told = f"{NAME}: accuracy is not gated: give accuracy = ... in [variants.int8.budgets.all.all] of its model.toml"
    shown = published(run, tmp_path)
    assert told in summary_lines(shown)
    assert "Accuracy is not gated" in shown.report.read_text()
    assert judged(Budget(accuracy=0.5), half_right()).notes == []
    assert judged(Budget(), predictions([(1, 0)], [None]), note="nobody knows").notes == ["nobody knows"]


def test_the_whole_window_is_the_slowest_sum_not_the_sum_of_the_slowest() -> None:
    run = judged(Budget(), Contribution(latency=latency_part("instructions", [10, 30], [7, 2])))
    assert run.window is not None
    assert (run.window.min, run.window.max) == (17, 32)
    inferred = judged(Budget(), Contribution(latency=latency_part("instructions", [10], [])))
    assert (inferred.window, inferred.preparation) == (None, None)


def test_which_classes_are_taken_for_which_is_counted_and_shown(tmp_path: Path) -> None:
    nan = float("nan")
    run = judged(
        Budget(),
        predictions([(1, 0), (1, 0), (0, 1)], ["a", "b", "b"]),
        predictions([(nan, 0), (1, 0)], ["a", None]),
    )
    parity = run.parity
    assert parity is not None
    assert [(each.truth, each.answer, each.windows) for each in parity.confusion] == [
        ("a", UNDECIDED, 1),
        ("a", "a", 1),
        ("b", "a", 1),
        ("b", "b", 1),
    ]
    assert [(each.label, each.windows, each.recall, each.precision) for each in parity.classes] == [
        ("a", 2, 0.5, 0.5),
        ("b", 2, 0.5, 1.0),
    ]
    report = published(run, tmp_path).report.read_text()
    assert (
        f"| true, and what the device answered | {UNDECIDED} | a | b |\n|---|--:|--:|--:|\n| a | 1 | 1 | 0 |\n"
        in report
    )
    assert "| b | 2 | 50.0% | 100.0% |" in report


def test_labels_that_hold_together_count_each_by_itself() -> None:
    run = judged(Budget(), predictions([(1, 1), (1, 0)], ["right+up", "up+right"], UP_AND_RIGHT))
    assert run.parity is not None
    assert run.parity.accuracy_device == 0.5
    assert [(each.label, each.recall, each.precision) for each in run.parity.classes] == [
        ("up", 1.0, 1.0),
        ("right", 0.5, 1.0),
    ]


def test_an_output_that_is_no_number_survives_json(tmp_path: Path) -> None:
    nan, number = np.array([[np.nan, 0]], np.float32), np.array([[1, 0]], np.float32)
    parity = combine([compare("r", nan, number, A_OR_B, ["a"], 1)])
    steps = attribute([Stage("as trained", number.astype(float)), Stage("device", nan.astype(float))], A_OR_B, ["a"])
    part = Contribution(parity=parity_part(parity, "o", A_OR_B), attribution=attribution_part(steps, []))
    run = judged(Budget(), part)
    assert run.parity is not None
    assert (run.parity.max_abs_diff, run.parity.accuracy_device, run.parity.accuracy_reference) == (None, 0.0, 1.0)
    shown = published(run, tmp_path)
    assert "an output is no number" in shown.report.read_text()
    again = load(shown.results_file)
    assert again.runs[0].parity == run.parity
    merged = merge(again, Session("2027", "0", {}, {}, {}, [Planned(KEY, "t.py::other", "", True)], []))
    assert merged.runs[0].parity == run.parity, "what was measured earlier adds up again"


def test_what_a_manifest_leaves_out_is_in_the_report_with_its_reason(tmp_path: Path) -> None:
    left_out = msgspec.structs.replace(results(half_right()), skipped={"m-int8-aot-nrf51": "16 kB of RAM"})
    shown = publish(judge(left_out), tmp_path)
    assert "m-int8-aot-nrf51: left out by its model.toml: 16 kB of RAM" in summary_lines(shown)
    assert "m-int8-aot-nrf51: left out by its model.toml: 16 kB of RAM." in shown.report.read_text()
    save(left_out, tmp_path / "again.json")
    assert load(tmp_path / "again.json").skipped == left_out.skipped


@pytest.mark.parametrize("answers", [13, 40])
def test_many_classes_are_told_by_their_mistakes(tmp_path: Path, answers: int) -> None:
    labels = [f"c{number}" for number in range(answers)]
    many = meaning(None, labels)
    right = np.eye(answers)
    wrong = np.roll(right, 1, axis=1)[:1]
    run = judged(Budget(), predictions([tuple(row) for row in [*right, *wrong]], [*labels, "c0"], many))
    report = published(run, tmp_path).report.read_text()
    assert "Taken most often for something else: c0 for c1 (1)." in report


def test_of_a_run_that_is_not_of_this_session_nothing_is_judged_and_nothing_new_is_said() -> None:
    gated = judge(results(half_right()), {NAME: Expected(Budget(accuracy=0.5))})
    later = merge(gated, Session("2027", "1", {}, {}, {}, []))
    (run,) = judge(later, {}).runs
    assert (run.verdict, run.notes) == ("incomplete", []), "its budget is only unknown"
    noted = judge(results(half_right()), {NAME: Expected(Budget(), "why")})
    (run,) = judge(merge(noted, Session("2027", "1", {}, {}, {}, [])), {}).runs
    assert run.notes[0] == "why"


def test_a_regression_fails_its_run_and_no_other() -> None:
    worse = Comparison(Base("b"), [Change("latency.max", "instructions", 100, 200, "regressed", "", "default")])
    better = Comparison(Base("b"), [Change("latency.max", "instructions", 200, 100, "improved", "", "default")])
    tests = [Case(id="t", outcome="passed", this_session=True)]
    compared = [Run(**KEY, verdict="", tests=tests, comparison=comparison) for comparison in (worse, better, None)]
    judged = judge(msgspec.structs.replace(results(), runs=compared)).runs
    assert [(run.verdict, run.failures) for run in judged] == [("fail", ["latency.max"]), ("pass", []), ("pass", [])]


def test_a_baseline_that_is_missing_or_stale_fails_only_a_strict_session() -> None:
    emulated = Run(**KEY, verdict="", tests=[Case(id="t", outcome="passed", this_session=True)])
    # The same run on hardware has the same name, and is not of this session.
    hardware = msgspec.structs.replace(emulated, board="/dev/ttyACM0", emulator=None, tests=[])
    found = msgspec.structs.replace(
        results(), runs=[emulated, hardware], no_baseline=[NAME], stale_baselines=["baselines/gone.json"]
    )
    easy, strict = judge(found), judge(found, strict=True)
    assert [run.verdict for run in easy.runs] == ["pass", "incomplete"]
    assert easy.failures == []
    assert [run.verdict for run in strict.runs] == ["fail", "incomplete"]
    assert strict.runs[0].failures == [NO_BASELINE]
    assert strict.failures == ["baselines/gone.json: nothing runs for this baseline; delete it"]


def test_a_limit_of_a_figure_itself_is_judged_when_the_run_is_complete(tmp_path: Path) -> None:
    limits = Limits(parse_limits("parity.accuracy_device<0.9, latency.max>16000", "HIL_FAIL_ON"))
    expected = {NAME: Expected(Budget(accuracy=0.1), limits=limits)}
    (run,) = judge(results(half_right()), expected).runs
    said = "parity.accuracy_device: 50.00%, beyond the limit parity.accuracy_device<0.9 (HIL_FAIL_ON)"
    assert (run.verdict, run.over_budget) == ("fail", [said])
    assert run.notes == ["the limit latency.max>16000 (HIL_FAIL_ON) is not judged: no test of this run measured it"]
    shown = "- parity.accuracy_device: 50.00%, beyond the limit `parity.accuracy_device<0.9` (HIL_FAIL_ON)\n"
    assert shown in published(run, tmp_path).report.read_text()
    (part,) = judge(results(half_right(), unfinished=True), expected).runs
    assert part.verdict == "incomplete"


def test_a_label_cannot_break_the_tables_of_the_report(tmp_path: Path) -> None:
    odd = meaning(None, ["a|b", "c"])
    report = published(judged(Budget(), predictions([(1, 0)], ["a|b"], odd)), tmp_path).report.read_text()
    assert "| `a\\|b` | 1 | 100.0% | 100.0% |" in report
    assert "| true, and what the device answered | `a\\|b` |" in report


def test_what_has_not_run_is_named_whole_whatever_its_parameters() -> None:
    plan = [Planned(KEY, "tests/t.py::done", "", True), Planned(KEY, "tests/t.py::walk[m-anna/walk.csv]", "", True)]
    ended = [Report(plan[0], 1, when, "passed", None) for when in ("call", "teardown")]
    merged = judge(merge(None, Session("2026", "0", {}, {}, {}, plan, ended)))
    lines = summary_lines(Published(merged, Path(), Path()))
    assert f"{NAME}: 1 of 2 tests have not run: t.py::walk[m-anna/walk.csv]" in lines


@pytest.mark.parametrize("outcome", ["skipped", "xfailed"])
def test_a_run_of_which_no_test_passed_says_why_it_is_incomplete(tmp_path: Path, outcome: str) -> None:
    plan = [Planned(KEY, "t.py::t", "", True)]
    ended = [Report(plan[0], 1, when, what, None) for when, what in (("call", outcome), ("teardown", "passed"))]
    (run,) = judge(merge(None, Session("2026", "0", {}, {"system": "", "python": ""}, {}, plan, ended))).runs
    assert run.verdict == "incomplete"
    shown = published(run, tmp_path)
    assert f"{NAME}: no test of it passed, so nothing was shown to be right" in summary_lines(shown)
    assert "No test of it passed, so nothing was shown to be right." in shown.report.read_text()


def test_judging_changes_nothing_that_it_is_given_and_judging_again_nothing_at_all() -> None:
    before = results(half_right(), unfinished=True)
    behind = Comparison(Base("b"), [Change("latency.max", "instructions", 100, 200, "regressed", "", "default")])
    before.runs[0].comparison = behind
    expected = {NAME: Expected(Budget(accuracy=0.99))}
    given = msgspec.json.encode(before)
    once = judge(before, expected)
    assert once.runs[0].verdict == "fail"
    assert msgspec.json.encode(before) == given
    assert judge(once, expected) == once


@pytest.mark.parametrize("verdict", ["pass", "fail", "incomplete"])
def test_publishing_writes_the_verdict_that_it_is_given(tmp_path: Path, verdict: str) -> None:
    undeserved = results(half_right(), unfinished=True)
    undeserved.runs[0].verdict = verdict
    given = msgspec.json.encode(undeserved)
    published = publish(undeserved, tmp_path)
    assert msgspec.json.encode(undeserved) == given
    assert load(published.results_file).runs[0].verdict == verdict
    assert f"**{verdict}**" in published.report.read_text()


def test_what_misses_the_budget_is_told_with_the_line_that_sets_it() -> None:
    sources = {"accuracy": "models/m/model.toml:30", "accuracy_drop": "models/m/model.toml:31"}
    expected = {NAME: Expected(Budget(accuracy=0.9, accuracy_drop=0.0), sources=sources)}
    (run,) = judge(results(half_right()), expected).runs
    assert run.over_budget == [
        f"accuracy of the {whose}: 50.00%, below the budget of at least 90.00% (models/m/model.toml:30)"
        for whose in ("device", "reference")
    ]

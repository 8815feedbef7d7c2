"""Two emulators in one session: each is a run of its own, and the second one is held against the first."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tflm_hil.checks.parity import combine, compare
from tflm_hil.models.output import meaning
from tflm_hil.report.publish import publish
from tflm_hil.report.summary import summary_lines
from tflm_hil.results.baselines import hold, read_baselines, update_baselines
from tflm_hil.results.judge import judge
from tflm_hil.results.merge import Planned, Report, Session, merge
from tflm_hil.results.model import Results, Run
from tflm_hil.results.parts import Contribution, RunKey, latency_part, parity_part

QEMU, RENODE = "qemu 7.2.22", "renode 1.16.1"
NAME, OTHER = "m-int8-aot-stm32f4", "m-int8-aot-stm32f4-renode"
OUTPUTS = [(1, 0), (0, 1)]


def measured(*counts: int, outputs: list[tuple[int, int]] = OUTPUTS) -> Contribution:
    device = np.array(outputs, np.int8)
    parity = compare("r", device, device, meaning(None, ["a", "b"]), [None] * len(outputs), 1)
    return Contribution(parity=parity_part(parity, "oracle"), latency=latency_part("instructions", counts, []))


def session(earlier: Results | None = None, **contributions: Contribution) -> Results:
    plan, reports = [], []
    for emulator, contribution in contributions.items():
        key = RunKey(
            model="m",
            variant="int8",
            engine="aot",
            board="emulated",
            emulator={"qemu": QEMU, "renode": RENODE, "board": None}[emulator],
            target="stm32f4",
        )
        test = Planned(key, f"t.py::t[{emulator}]", "", True)
        plan.append(test)
        reports += [Report(test, 1, "call", "passed", None, "00", [contribution])]
        reports += [Report(test, 1, "teardown", "passed", None, "00", [])]
    return judge(merge(earlier, Session("2026", "0", {}, {"system": "", "python": ""}, {}, plan, reports)))


def runs(results: Results) -> dict[str, Run]:
    return {run.name: run for run in results.runs}


def test_each_emulator_is_a_run_with_its_own_name(tmp_path: Path) -> None:
    both = session(qemu=measured(1000, 1100), renode=measured(1002, 1105))
    assert {run.name: (run.emulator, run.verdict) for run in both.runs} == {
        NAME: (QEMU, "pass"),
        OTHER: (RENODE, "pass"),
    }
    published = publish(both, tmp_path)
    assert f"{OTHER}: as {QEMU}: answers equal, median +0.20%, max +0.45%" in summary_lines(published)
    report = published.report.read_text()
    assert f"| {NAME} | {QEMU} | 1,000 | 1,100 | {RENODE} | 1,002 | 1,105 | as {QEMU}: answers equal, " in report
    assert "The emulators side by side" not in publish(session(qemu=measured(1000)), tmp_path).report.read_text()


@pytest.mark.parametrize(
    ("renode", "said"),
    [
        (measured(1000, 1112), f"latency.max: 1,112, which is +1.09% from the 1,100 of {QEMU}, and more than 1%"),
        (measured(980, 1100), f"latency.median: 980, which is -2.00% from the 1,000 of {QEMU}, and more than 1%"),
        (measured(1000, 1100, outputs=[(1, 0), (1, 1)]), f"answers are not those of {QEMU}"),
    ],
    ids=["max", "median", "answers"],
)
def test_a_second_emulator_that_disagrees_fails_its_run(tmp_path: Path, renode: Contribution, said: str) -> None:
    results = session(qemu=measured(1000, 1100), renode=renode)
    assert (runs(results)[NAME].verdict, runs(results)[OTHER].verdict) == ("pass", "fail")
    assert said in runs(results)[OTHER].disagreements
    published = publish(results, tmp_path)
    assert f"FAILED: {OTHER}: {said}" in summary_lines(published)
    assert f"- {said}\n" in published.report.read_text()


def test_one_per_cent_is_forgiven() -> None:
    results = session(qemu=measured(1000, 1000), renode=measured(990, 1010))
    assert runs(results)[OTHER].verdict == "pass"


def test_what_was_not_measured_alike_is_not_compared(tmp_path: Path) -> None:
    results = session(qemu=measured(1000, 1100), renode=measured(5000, outputs=[(0, 0)]))
    assert runs(results)[OTHER].verdict == "pass"
    told = f"{OTHER}: as {QEMU}: answers not compared, counts not compared"
    assert told in summary_lines(publish(results, tmp_path))


def test_an_earlier_session_is_not_held_against_this_one() -> None:
    earlier = session(qemu=measured(1000, 1100))
    now = session(earlier, renode=measured(5000, 5000))
    assert set(runs(now)) == {NAME, OTHER}
    assert runs(now)[OTHER].verdict == "pass"


def test_hardware_is_no_emulator() -> None:
    results = session(qemu=measured(1000, 1100), board=measured(5000, 5000))
    assert [run.verdict for run in results.runs] == ["pass", "pass"]


def test_each_emulator_has_a_baseline_of_its_own(tmp_path: Path) -> None:
    both = session(qemu=measured(1000, 1100), renode=measured(1002, 1105))
    update_baselines(both.runs, tmp_path, tmp_path, "", {})
    known = read_baselines(tmp_path, tmp_path)
    slower = hold(session(qemu=measured(1000, 1100), renode=measured(1002, 1120)), known, {})
    regressions = {run.name: run.comparison.regressions for run in slower.runs if run.comparison}
    assert regressions[NAME] == []
    assert [(change.metric, change.before, change.now) for change in regressions[OTHER]] == [
        ("latency.p99", 1105, 1120),
        ("latency.max", 1105, 1120),
    ]
    assert {name: run.verdict for name, run in runs(judge(slower)).items()} == {NAME: "pass", OTHER: "fail"}


def test_answers_are_the_same_in_whatever_order_they_come() -> None:
    parts = [
        compare(name, outputs, outputs, meaning(None, ["a", "b"]), [None], 1)
        for name in ("r", "s")
        for outputs in [np.array([[ord(name), 0]], np.int8)]
    ]
    assert combine(parts).digest == combine(parts[::-1]).digest != 0
    swapped = [
        compare(name, outputs, outputs, meaning(None, ["a", "b"]), [None], 1)
        for name in ("s", "r")
        for outputs in [np.array([[ord("r") if name == "s" else ord("s"), 0]], np.int8)]
    ]
    assert combine(swapped).digest != combine(parts).digest

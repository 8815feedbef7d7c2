"""Results of many jobs as one."""

from __future__ import annotations

from support.made_results import COMMIT, compared, failed, results, run, slower
from tflm_hil.results.matrix import combine
from tflm_hil.results.model import Case


def test_the_runs_of_all_jobs_are_there_in_whatever_order_the_jobs_ended() -> None:
    one = results(run(target="stm32f4"), created="2026-01-02", missing_engines={"tflm": "not here"})
    other = results(run(target="nrf52"), run(engine="tflm"), created="2026-01-01", no_baseline=["x"])
    names = ["gesture-int8-aot-nrf52", "gesture-int8-aot-stm32f4", "gesture-int8-tflm-stm32f4"]
    for many in ([one, other], [other, one]):
        found = combine(many)
        assert [each.name for each in found.runs] == names
        assert (found.created, found.gaps, found.missing_engines) == ("2026-01-02", [], {})
        assert found.no_baseline == ["x"]


def test_of_a_run_in_several_files_the_last_one_counts_that_was_tested() -> None:
    old, new = run(verdict="fail", tests=[failed("bad")]), run()
    kept = run(verdict="incomplete", tests=[Case(id="t", outcome="passed")])
    first, second = results(old, created="2026-01-01"), results(new, created="2026-01-02")
    third = results(kept, created="2026-01-03")
    for many in ([first, second, third], [third, second, first]):
        assert [each.verdict for each in combine(many).runs] == ["pass"]
    assert combine([results(new, created="1"), results(old, created="2")]).runs[0].verdict == "fail"


def test_what_one_job_lacks_and_another_has_is_not_missing() -> None:
    here = run(comparison=compared(slower()))
    one = results(here, created="1")
    lacking = {"left_out": [here.name], "no_baseline": [here.name], "stale_baselines": ["baselines/gesture.json", "b"]}
    found = combine([one, results(run("other"), created="2", **lacking)])
    assert (found.left_out, found.no_baseline, found.stale_baselines) == ([], [], ["b"])


def test_tools_that_differ_are_all_named_and_different_commits_are_no_matrix() -> None:
    one = results(run(), created="1", toolchain={"arm-none-eabi-gcc": "12.2"})
    other = results(run("b"), created="2", toolchain={"arm-none-eabi-gcc": "13.2"}, git={"commit": "c" * 40})
    found = combine([one, other])
    assert found.toolchain == {"arm-none-eabi-gcc": "12.2, 13.2"}
    assert found.gaps == [f"results of different commits: {COMMIT[:12]}, {'c' * 12}"]


def test_one_file_is_left_as_it_is() -> None:
    one = results(run(), run("b"))
    assert combine([one]) is one

"""The comment on a pull request: what stands first, what stands there at all, and that nothing in it is markup."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from support.hostile_results import HOSTILE, assert_harmless, hostile
from support.made_results import compared, failed, flipped, larger, less_accurate, results, run, slower
from tflm_hil.report.pull_request import COMMENT_LIMIT, MARKER, render
from tflm_hil.results.comparison import Base, Comparison


def test_the_verdict_comes_first_then_what_got_worse_with_its_cause_then_failures_then_what_got_better() -> None:
    better = slower("conv", "improved")
    better.before, better.now = better.now, better.before
    worse = compared(slower(), larger(), less_accurate(), flips=[flipped()])
    text = render(
        results(
            run("other", compared(better)),
            run(comparison=worse, verdict="fail", tests=[failed("3 of 60 windows differ\nthe rest")]),
        )
    )
    first, verdict, *rest = text.splitlines()
    assert first + "\n" == MARKER
    assert verdict == "## \u274c Fail: 3 figures got worse, 1 test failed"
    assert "compared with commit `bbbbbbbbbbbb`. 2 runs: 1 fail, 1 pass." in rest[1]
    rows = [line for line in rest if line.startswith("| `gesture-int8-aot-stm32f4` |")]
    assert "| 13,736 | 15,002 | +1,266 instructions (+9.2%) |" in rows[0]
    assert "operator `aot_fully_connected_s8`: 4,000 -> 5,200 (+1,200)" in rows[0]
    assert "| +2,048 bytes (+10.1%) | `firmware.flash_bytes>+1%` (models/gesture/model.toml:12) |" in rows[1]
    assert rows[1].endswith("| symbol `table`: new, 2,048 |")
    assert "-1.50 points" in rows[2]
    assert "`punch/017` window 3: `punch` -> `flex`, now wrong" in rows[2]
    order = [text.index(part) for part in ("### What got worse", "### What failed", "### What got better", "<details>")]
    assert order == sorted(order)
    assert "- 3 of 60 windows differ (`tests/test_hil.py::test_bad`)" in text


def test_a_baseline_that_a_job_fetched_is_called_by_its_name() -> None:
    fetched = Comparison(Base("/home/runner/temp/gesture.json", "b" * 40), [larger()])
    assert "| `bbbbbbbbbbbb` in `gesture.json` |" in render(results(run(comparison=fetched, verdict="fail")))


def test_a_run_that_passes_is_a_verdict_and_folded_details() -> None:
    text = render(results(run(comparison=compared())))
    assert "## \u2705 Pass: 1 run\n" in text
    assert "###" not in text
    assert "<summary>All runs (1)</summary>" in text


def test_changes_within_their_limits_are_folded() -> None:
    text = render(results(run(comparison=compared(slower(verdict="changed")))))
    assert text.index("<details><summary>Changes within their limits (1)</summary>") < text.index("15,002")


@pytest.mark.parametrize("name", HOSTILE)
def test_names_from_elsewhere_are_shown_and_are_no_markup(name: str) -> None:
    text = render(hostile(name))
    assert_harmless(text)
    assert text.startswith(MARKER + "## \u274c Fail: 2 figures got worse")


def test_a_name_is_whole_in_its_own_cell_whatever_is_in_it() -> None:
    for name in ("a|b\\|c\\", "`x`", "``", "<b>", "*a*"):
        text = render(results(run(comparison=compared(larger(name)), verdict="fail")))
        (cell,) = (
            token
            for token in MarkdownIt("commonmark").enable("table").parse(text)
            if token.type == "inline" and token.content.startswith("symbol") and token.content.endswith("new, 2,048")
        )
        assert [child.content for child in cell.children or [] if child.type == "code_inline"] == [name], name


@settings(max_examples=12)
@given(st.text(st.sampled_from("ab `|\\<>@#*_~[]()!&:/\n\r\t\u202e\0\"'-+=1.$%"), max_size=40))
def test_no_name_becomes_markup(name: str) -> None:
    assert_harmless(render(hostile(name)))


@pytest.mark.parametrize("wide", ["x", "\U0001f600" * 150, "\u202e`|" * 60])
def test_a_comment_fits_on_github_and_says_what_is_left_out(wide: str) -> None:
    many = [
        run(
            f"{wide}{number}",
            compared(*[larger(f"{wide}{each}") for each in range(15)], flips=[flipped(wide)] * 15, notes=[wide]),
            verdict="fail",
            tests=[failed(f"{wide}{number}\n{wide}" * 10, wide, log=f"{wide}\n" * 60)],
        )
        for number in range(30)
    ]
    text = render(results(*many))
    assert len(text.encode()) <= COMMENT_LIMIT
    assert "## \u274c Fail: 450 figures got worse, 30 tests failed" in text
    assert "### What got worse (20 of 450)" in text
    assert "### What failed (20 of 30)" in text
    said = re.search(r"Left out, because it would be too long: .* 30 runs of \"All runs \(30\)\"", text)
    assert said or "<summary>All runs (30)</summary>" in text
    assert re.search(r"[\d,]+ of 430 figures", text)
    assert_harmless(text)


def test_a_summary_of_a_job_has_more_room() -> None:
    runs = [
        run(f"m{number}", compared(*[larger(f"s{each}") for each in range(30)]), verdict="fail") for number in range(60)
    ]
    assert "Left out" in render(results(*runs))
    assert "Left out" not in render(results(*runs), limit=1024 * 1024)

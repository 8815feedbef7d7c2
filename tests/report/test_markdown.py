"""report.md: what it begins with, and that nothing that somebody named is markup in it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from support.hostile_results import HOSTILE, assert_harmless, hostile
from support.made_results import compared, failed, flipped, larger, less_accurate, results, run, slower
from tflm_hil.report.markdown import render

# The verdict at the top, and that of each run.
BOLD = 3


def test_it_begins_with_the_verdict_then_what_got_worse_and_why_and_only_then_has_the_figures() -> None:
    better = slower("conv", "improved")
    worse = compared(slower(), larger(), slower(verdict="changed"), flips=[flipped()], notes=["another compiler"])
    text = render(
        results(run(comparison=worse, verdict="fail", tests=[failed("3 of 60 differ")]), run("b", compared(better)))
    )
    parts = [
        "**Fail: 2 figures got worse, 1 test failed**",
        "compared with commit `bbbbbbbbbbbb`",
        "## What got worse",
        "operator `aot_fully_connected_s8`: 4,000 -> 5,200 (+1,200)",
        "## What failed",
        "- 3 of 60 differ (`tests/test_hil.py::test_bad`)",
        "## What got better",
        "## All runs",
        "## What was not compared",
        "another compiler",
        "## All that made the figures change",
        "## Predictions that flipped",
        "`punch/017` | 3 | 90 |",
        "## Changes within their limits",
        "## gesture-int8-aot-stm32f4",
    ]
    places = [text.find(part) for part in parts]
    assert -1 not in places
    assert places == sorted(places)


@pytest.mark.parametrize("name", HOSTILE)
def test_names_from_elsewhere_are_no_markup(name: str) -> None:
    assert_harmless(render(hostile(name), [name]), BOLD)


@settings(max_examples=12)
@given(st.text(st.sampled_from("ab `|\\<>@#*_~[]()!&:/\n\r\t\u202e\0\"'-+=1.$%"), max_size=40))
def test_no_name_becomes_markup(name: str) -> None:
    assert_harmless(render(hostile(name), [name]), BOLD)


def test_ten_thousand_windows_are_not_listed() -> None:
    text = render(results(run(comparison=compared(less_accurate(), flips=[flipped()] * 10_000))))
    assert "\n9,000 more windows are in results.json.\n" in text
    assert text.count("| `punch/017` | 3 | 90 |") == 1_000
    assert "and 9,997 more, below" in text


def test_results_that_do_not_say_where_they_are_from_are_drawn() -> None:
    assert "Python unknown" in render(replace(hostile("x"), git={}, host={}, toolchain={}))

"""Labels that have to hold, and what a run adds up to."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tflm_hil.commands.live.running import Held, Tally
from tflm_hil.commands.live.window import Answer
from tflm_hil.report.text import table_lines


@given(labels=st.lists(st.sampled_from("ab"), max_size=30), windows=st.integers(1, 4))
def test_a_label_holds_once_enough_windows_in_a_row_have_it(labels: list[str], windows: int) -> None:
    held, last = Held(windows), ""
    for at, label in enumerate(labels, start=1):
        if labels[max(0, at - windows) : at] == [label] * windows:
            last = label
        assert held.take(label) == last


def answer(label: str, latency: float | None, truth: str = "") -> Answer:
    return Answer("x", 0, label, {label: 1.0}, latency, "cycles", truth)


def test_a_run_adds_up_to_windows_labels_and_median_latencies() -> None:
    tally = Tally()
    for each in (answer("a", 10, "a"), answer("b", 30, "a"), answer("a", 20), answer("a", 60, "a")):
        tally.take(each)
    assert [" ".join(line.split()) for line in table_lines(tally.table())] == [
        "label windows share median cycles",
        "a 3 75.0% 20",
        "b 1 25.0% 30",
        "all 4 25",
    ]
    assert tally.accuracy == "2 of 3 labelled windows right (66.7%)"


def test_what_was_not_measured_or_is_not_known_is_left_out() -> None:
    tally = Tally()
    tally.take(answer("a", None))
    assert [" ".join(line.split()) for line in table_lines(tally.table())] == [
        "label windows share",
        "a 1 100.0%",
        "all 1",
    ]
    assert tally.accuracy == ""

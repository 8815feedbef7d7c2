"""What operators take, as the terminal and report.md show it."""

from __future__ import annotations

import msgspec
from support.made_results import results, run
from tflm_hil.report.markdown import render
from tflm_hil.report.profile import profile_lines
from tflm_hil.results.figures import figures
from tflm_hil.results.groups import OperatorFigures, ProfileFigures

PROFILE = ProfileFigures(
    "instructions",
    "window 0 of punch/001",
    1_000,
    [
        OperatorFigures(0, "CONV_2D", "first", 300, 100),
        OperatorFigures(2, "CONV_2D + ADD", "second", 600, 400),
        OperatorFigures(3, "SOFTMAX", "third", 75),
    ],
)


def test_the_terminal_shows_them_in_order_with_what_lies_between() -> None:
    heading, *rows = [line.split() for line in profile_lines(PROFILE)]
    assert heading[:4] == ["operator", "output", "instructions", "share"]
    assert rows[0][:7] == ["#0", "CONV_2D", "first", "300", "30.0%", "100", "3.00"]
    assert rows[1][:9] == ["#2", "CONV_2D", "+", "ADD", "second", "600", "60.0%", "400", "1.50"]
    assert rows[2][:7] == ["#3", "SOFTMAX", "third", "75", "7.5%", "-", "-"]
    assert rows[3] == ["between", "the", "operators", "25", "2.5%"]
    assert rows[4][-4:] == ["1,000", "100.0%", "500", "2.00"]
    assert len(rows[1][-1]) == 2 * len(rows[0][-1]), "bars are as long as the counts"


def test_report_md_has_the_dearest_first_and_survives_any_name() -> None:
    hostile = OperatorFigures(4, "<script>|x", "a|b\n</details>`c", 10)
    text = render(results(run(profile=msgspec.structs.replace(PROFILE, operators=[*PROFILE.operators, hostile]))))
    rows = text.partition("| operator | output |")[2].splitlines()[2:7]
    assert [row.split()[1] for row in rows] == ["2", "0", "3", "4", "between"]
    assert rows[0] == "| 2 CONV_2D + ADD | `second` | 600 | 60.0% | 400 | 1.50 |"
    assert rows[3] == r"| 4 `<script>\|x` | ``a\|b </details>`c`` | 10 | 1.0% | - | - |"
    assert "window 0 of punch/001" in text
    nothing = msgspec.structs.replace(PROFILE, whole=0)
    assert "| 0 CONV_2D | `first` | 300 | - |" in render(results(run(profile=nothing)))


def test_what_a_test_measured_is_part_of_its_run() -> None:
    assert figures([{"profile": msgspec.to_builtins(PROFILE)}])["profile"] == PROFILE
    assert figures([{}])["profile"] is None

"""What a terminal shows of a capture."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from support.sketch import counts
from tflm_hil.capture.setup import Setup
from tflm_hil.capture.view import _Picture, sparkline, viewing

VALUES = Setup("MPU6050", 4, 2000, 50).values(counts(1)[0])


def shown(view: _Picture) -> list[str]:
    console = Console(file=io.StringIO(), width=100)
    with console.capture() as capture:
        console.print(view.picture())
    return capture.get().splitlines()


def test_the_picture_has_the_count_the_level_and_the_last_gesture() -> None:
    view = _Picture("punch", 20, Console(file=io.StringIO()))
    assert shown(view) == ["punch: 0 of 20", "end with Ctrl-C"]
    view.level(0.25, 0.5)
    view.gesture(7, VALUES)
    lines = shown(view)
    assert lines[0] == "punch: 7 of 20"
    assert lines[1].startswith("█" * 10 + "·" * 10 + "|" + "·" * 19)
    assert lines[1].endswith(" 0.25 g (threshold 0.5 g)")
    assert [line.split()[0] for line in lines[2:8]] == ["aX", "aY", "aZ", "gX", "gY", "gZ"]
    assert {len(line.split()[1]) for line in lines[2:8]} == {30}
    assert lines[8].startswith("30 rows, up to 3.6")


def test_notes_stand_above_the_picture() -> None:
    console = Console(file=io.StringIO(), width=100)
    view = _Picture("punch", None, console)
    view.note("[red]keep still")
    assert isinstance(console.file, io.StringIO)
    assert console.file.getvalue() == "hil: [red]keep still\n"


@given(values=st.lists(st.floats(-1e4, 1e4), min_size=1, max_size=50), span=st.floats(0.01, 1e4))
def test_every_value_is_one_bar(values: list[float], span: float) -> None:
    bars = sparkline(np.array(values), span)
    assert len(bars) == len(values)
    assert sparkline(np.array([-span, 0.0, span]), span) in ("▁▄█", "▁▅█")


def test_without_a_terminal_it_is_lines(capsys: pytest.CaptureFixture[str]) -> None:
    with viewing("punch", None) as view:
        view.level(1.0, 0.5)
        view.gesture(1, VALUES)
        view.note("hello")
    said = capsys.readouterr()
    assert said.out.startswith("punch 1: 30 rows, up to ")
    assert said.out.count("\n") == 1
    assert said.err == "hil: hello\n"

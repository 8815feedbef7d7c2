"""What a terminal shows of a live run."""

from __future__ import annotations

import io

from rich.console import Console
from tflm_hil.commands.live.view import _Picture
from tflm_hil.commands.live.window import Answer


def shown(view: _Picture) -> list[str]:
    console = Console(file=io.StringIO(), width=100)
    with console.capture() as capture:
        console.print(view.picture())
    return [line.strip() for line in capture.get().splitlines() if line.strip()]


def test_the_picture_has_the_label_that_holds_the_scores_and_the_latency() -> None:
    view = _Picture("gesture-int8 on desk", Console(file=io.StringIO()))
    assert shown(view) == ["gesture-int8 on desk", "end with Ctrl-C"]
    view.answer(Answer("r", 0, "flex", {"punch": 0.25, "flex": 0.75}, 13_736, "cycles", "punch"), "")
    lines = shown(view)
    assert lines[1] == "..."
    assert [line.split() for line in lines[2:4]] == [
        ["punch", "█" * 8 + "·" * 22, "0.25"],
        ["flex", "█" * 22 + "·" * 8, "0.75"],
    ]
    assert lines[4] == "13,736 cycles"
    assert lines[5] == "r #0  flex  punch 0.25 flex 0.75  13,736 cycles  not punch"
    view.answer(Answer("r", 1, "punch", {"punch": 1.5, "flex": -3.0}, None, ""), "flex")
    lines = shown(view)
    assert lines[1] == "flex"
    assert lines[2].split() == ["punch", "█" * 30, "1.50"]
    assert lines[-2] == "r #1  punch  punch 1.50 flex -3.00  holds flex"

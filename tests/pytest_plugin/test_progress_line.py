"""The line that tells what is going on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import cast

import pytest
from tflm_hil.pytest_plugin.progress_line import ProgressLine


class Terminal:
    """pytest's terminal and its capturing, behind which the terminal's width cannot be seen."""

    def __init__(self, isatty: bool = True) -> None:
        self.isatty = isatty
        self.captured = True
        self.written: list[str] = []
        self._tw = self

    @property
    def fullwidth(self) -> int:
        return 10 if self.captured else 40

    @contextmanager
    def global_and_fixture_disabled(self) -> Iterator[None]:
        self.captured = False
        yield
        self.captured = True

    def write(self, text: str, flush: bool) -> None:
        assert flush
        assert not self.captured
        self.written.append(text)

    def progress(self) -> ProgressLine:
        manager = SimpleNamespace(get_plugin=lambda _name: self)
        return ProgressLine(cast(pytest.Config, SimpleNamespace(pluginmanager=manager)))


def test_the_line_is_as_long_as_the_terminal_is_wide() -> None:
    terminal = Terminal()
    terminal.progress().say("x" * 100)
    assert terminal.written == ["\r" + "x" * 39]


def test_each_line_covers_the_one_before_and_nothing_is_left_of_the_last() -> None:
    terminal = Terminal()
    with terminal.progress() as progress:
        progress.say("longer")
        progress.say("short")
    assert terminal.written == ["\rlonger", "\rshort ", "\r     \r"]


def test_nothing_is_drawn_where_there_is_no_terminal() -> None:
    terminal = Terminal(isatty=False)
    with terminal.progress() as progress:
        progress.say("text")
    assert terminal.written == []

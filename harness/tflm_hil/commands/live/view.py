"""What the user sees of a live run: a picture on a terminal, a line for each window elsewhere, or JSON."""

from __future__ import annotations

import json
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from tflm_hil.commands.live.window import Answer

_BAR_CELLS = 30
_EARLIER = 8
_REFRESH_HZ = 12


class View(Protocol):
    """Is told what happens."""

    def note(self, text: str) -> None:
        """Show something for the user to know."""

    def answer(self, answer: Answer, held: str) -> None:
        """Show an answer, and the label that holds."""


@contextmanager
def viewing(title: str, as_json: bool) -> Iterator[View]:
    """Show a run with this `title`."""
    if as_json or not sys.stdout.isatty():
        yield _Json() if as_json else _Plain()
        return
    console = Console()
    view = _Picture(title, console)
    with Live(console=console, refresh_per_second=_REFRESH_HZ, get_renderable=view.picture):
        yield view


class _Lines:
    def note(self, text: str) -> None:
        print(f"hil: {text}", file=sys.stderr, flush=True)


class _Json(_Lines):
    def answer(self, answer: Answer, held: str) -> None:
        print(json.dumps(asdict(answer) | {"held": held}), flush=True)


class _Plain(_Lines):
    def answer(self, answer: Answer, held: str) -> None:
        print(_line(answer, held), flush=True)


class _Picture:
    def __init__(self, title: str, console: Console) -> None:
        self._title = title
        self._console = console
        self._last: tuple[Answer, str] | None = None
        self._earlier: deque[str] = deque(maxlen=_EARLIER)

    def note(self, text: str) -> None:
        self._console.print(Text(f"hil: {text}"))

    def answer(self, answer: Answer, held: str) -> None:
        self._last = answer, held
        self._earlier.append(_line(answer, held))

    def picture(self) -> Group:
        parts: list[Text | Table] = [Text(self._title, style="dim")]
        if self._last is not None:
            answer, held = self._last
            parts += [Text(f"\n  {held or '...'}\n", style="bold"), _bars(answer)]
            parts += [Text(latency) for latency in [_latency(answer)] if latency]
        parts += [Text(line, style="dim") for line in self._earlier]
        parts.append(Text("end with Ctrl-C", style="dim"))
        return Group(*parts)


def _line(answer: Answer, held: str) -> str:
    scores = " ".join(f"{name} {score:.2f}" for name, score in answer.scores.items())
    wrong = f"not {answer.truth}" if answer.truth not in ("", answer.label) else ""
    held = f"holds {held}" if held not in ("", answer.label) else ""
    return "  ".join(
        filter(None, [f"{answer.source} #{answer.index}", answer.label, scores, _latency(answer), wrong, held])
    )


def _latency(answer: Answer) -> str:
    return "" if answer.latency is None else f"{answer.latency:,.0f} {answer.unit}"


def _bars(answer: Answer) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 1))
    for name, score in answer.scores.items():
        cells = round(min(max(score, 0.0), 1.0) * _BAR_CELLS)
        style = "bold green" if name == answer.label else "dim"
        table.add_row(name, Text("█" * cells + "·" * (_BAR_CELLS - cells), style=style), f"{score:.2f}")
    return table

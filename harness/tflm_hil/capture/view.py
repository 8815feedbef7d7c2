"""What the user sees of a capture: a picture that changes on a terminal, a line for each gesture elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import numpy as np
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from tflm_hil.capture.setup import CHANNELS, Values

_BARS = "▁▂▃▄▅▆▇█"
_LEVEL_CELLS = 40
_REFRESH_HZ = 12


class View(Protocol):
    """Is told what happens."""

    def note(self, text: str) -> None:
        """Show something for the user to know."""

    def level(self, g: float, threshold_g: float) -> None:
        """Show the motion that the trigger sees, and what it waits for."""

    def gesture(self, number: int, values: Values) -> None:
        """Show gesture `number` of this capture, which has been written."""


@contextmanager
def viewing(label: str, wanted: int | None) -> Iterator[View]:
    """Show the capture of `label`, of which `wanted` gestures are to come, None for any number."""
    if not sys.stdout.isatty():
        yield _Plain(label)
        return
    console = Console()
    view = _Picture(label, wanted, console)
    with Live(console=console, refresh_per_second=_REFRESH_HZ, get_renderable=view.picture):
        yield view


def sparkline(values: Values, span: float) -> str:
    """Return `values` [n] from -`span` to `span` as bars, one character each."""
    share = np.clip((values / span + 1) / 2, 0, 1)
    return "".join(_BARS[round(float(each) * (len(_BARS) - 1))] for each in share)


class _Plain:
    def __init__(self, label: str) -> None:
        self._label = label

    def note(self, text: str) -> None:
        print(f"hil: {text}", file=sys.stderr, flush=True)

    def level(self, g: float, threshold_g: float) -> None:
        pass

    def gesture(self, number: int, values: Values) -> None:
        print(f"{self._label} {number}: {_sizes(values)}", flush=True)


class _Picture:
    def __init__(self, label: str, wanted: int | None, console: Console) -> None:
        self._label = label
        self._wanted = "" if wanted is None else f" of {wanted}"
        self._number = 0
        self._last: Values | None = None
        self._level: tuple[float, float] | None = None
        self._console = console

    def note(self, text: str) -> None:
        self._console.print(Text(f"hil: {text}"))

    def level(self, g: float, threshold_g: float) -> None:
        self._level = g, threshold_g

    def gesture(self, number: int, values: Values) -> None:
        self._number, self._last = number, values

    def picture(self) -> Group:
        parts: list[Text | Table] = [Text(f"{self._label}: {self._number}{self._wanted}", style="bold")]
        if self._level is not None:
            parts.append(_level(*self._level))
        if self._last is not None:
            parts += [_gesture(self._last), Text(_sizes(self._last))]
        parts.append(Text("end with Ctrl-C", style="dim"))
        return Group(*parts)


def _sizes(values: Values) -> str:
    accelerations = CHANNELS.index("gX")
    g, dps = np.abs(values[:, :accelerations]).max(), np.abs(values[:, accelerations:]).max()
    return f"{len(values)} rows, up to {g:.2f} g and {dps:.0f} dps"


def _level(g: float, threshold_g: float) -> Text:
    """A bar of the motion, with a mark where the threshold is."""
    full = max(2 * threshold_g, 1.0)
    filled = min(_LEVEL_CELLS, round(g / full * _LEVEL_CELLS))
    bar = Text("█" * filled + "·" * (_LEVEL_CELLS - filled), style="green" if g >= threshold_g else "dim")
    if threshold_g:
        mark = min(_LEVEL_CELLS - 1, round(threshold_g / full * _LEVEL_CELLS))
        bar = bar[:mark] + Text("|", style="bold red") + bar[mark + 1 :]
    return bar + Text(f" {g:.2f} g" + (f" (threshold {threshold_g:g} g)" if threshold_g else ""))


def _gesture(values: Values) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 1))
    accelerations = CHANNELS.index("gX")
    for at, (name, column) in enumerate(zip(CHANNELS, values.T, strict=True)):
        # One scale for each kind of channel shows which axis moves most.
        of_kind = values[:, :accelerations] if at < accelerations else values[:, accelerations:]
        table.add_row(name, sparkline(column, float(np.abs(of_kind).max()) or 1.0))
    return table

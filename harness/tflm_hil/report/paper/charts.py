"""Charts as SVG files of their own, for pages that cannot hold them: lines over numbers, and bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from tflm_hil.report.html.scale import Scale, ticks
from tflm_hil.report.markup import visible

WIDTH, HEIGHT = 640, 300
LEFT, RIGHT, TOP, FOOT = 64, 16, 34, 44
BAR, LABELS = 30, 230

# Each has a contrast of at least 4.5:1 with the background, in light and in dark (WCAG 2.1, AA).
_LIGHT = ("#0550ae", "#b35900", "#1a7f37", "#8250df")
_DARK = ("#79c0ff", "#ffa657", "#7ee787", "#d2a8ff")
_DASHES = ("", "7 4", "2 3", "9 3 2 3")


@dataclass(frozen=True)
class Series:
    """A line: values at 0, 1, 2, ... times the chart's `step`."""

    name: str
    values: Sequence[float]


@dataclass(frozen=True)
class Bar:
    """A bar, and its value as text; one that `stands_apart` has another colour."""

    name: str
    value: float
    text: str
    stands_apart: bool = False


def lines(title: str, across: str, up: str, series: Sequence[Series], step: float = 1.0, start: float = 0.0) -> str:
    """Return a chart of `series` as SVG; `across` and `up` name the axes. The first value of a line is at `start`."""
    every = [value for each in series for value in each.values]
    longest = max(len(each.values) for each in series)
    x = Scale(start, start + (longest - 1) * step, LEFT, WIDTH - RIGHT)
    low, high = _room(min(every), max(every))
    y = Scale(low, high, HEIGHT - FOOT, TOP)
    parts = [
        *(_rule(y(tick), f"{tick:.6g}") for tick in ticks(low, high, 6)),
        *(_text(x(tick), HEIGHT - FOOT + 16, f"{tick:.6g}", "middle") for tick in ticks(x.low, x.high, 6)),
        _text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, across, "middle"),
        _text(6, 16, up, "start"),
    ]
    place = WIDTH - RIGHT
    for number, each in reversed(list(enumerate(series))):
        points = "L".join(f"{x(start + at * step)} {y(value)}" for at, value in enumerate(each.values))
        look = f'class="c{number % 4}" stroke-dasharray="{_DASHES[number % 4]}"'
        parts.append(f'<path {look} d="M{points}"/>')
        parts.append(_text(place, 16, each.name, "end"))
        place -= 7 * len(each.name) + 8
        parts.append(f'<path {look} d="M{place - 24} 12h24"/>')
        place -= 40
    said = "; ".join(f"{each.name} from {each.values[0]:.4g} to {each.values[-1]:.4g}" for each in series)
    return _svg(HEIGHT, title, f"{up} over {across}: {said}.", parts)


def bars(title: str, rows: Sequence[Bar]) -> str:
    """Return a chart of horizontal bars from 0 on as SVG."""
    x = Scale(0, max(max(bar.value for bar in rows), 1e-12), LABELS, WIDTH - 110)
    parts = []
    for number, bar in enumerate(rows):
        top, right = TOP + number * BAR - 20, x(bar.value)
        kind = "f1" if bar.stands_apart else "f0"
        width = max(right - LABELS, 1)
        parts.append(f'<rect class="{kind}" x="{LABELS}" y="{top}" width="{width:.1f}" height="{BAR - 8}"/>')
        parts.append(_text(LABELS - 8, top + 15, bar.name, "end"))
        parts.append(_text(LABELS + width + 6, top + 15, bar.text, "start"))
    said = "; ".join(f"{bar.name}: {bar.text}" for bar in rows)
    return _svg(TOP + len(rows) * BAR - 10, title, f"{said}.", parts)


def _room(low: float, high: float) -> tuple[float, float]:
    """Some room around the values, so that a line at an end is not on the frame."""
    room = (high - low) * 0.04 or max(abs(high), 1.0) * 0.04
    return low - room, high + room


def _rule(y: float, text: str) -> str:
    return f'<path class="rule" d="M{LEFT} {y}H{WIDTH - RIGHT}"/>' + _text(LEFT - 6, y + 4, text, "end")


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.5g}" y="{y:.5g}" text-anchor="{anchor}">{_escaped(text)}</text>'


def _escaped(text: str) -> str:
    return escape(visible(text))


def _colours(ground: str, ink: str, rule: str, lines: Sequence[str]) -> str:
    strokes = "".join(f".c{number}{{stroke:{line}}}" for number, line in enumerate(lines))
    fills = "".join(f".f{number}{{fill:{line}}}" for number, line in enumerate(lines[:2]))
    return f".ground{{fill:{ground}}}text{{fill:{ink}}}.rule{{stroke:{rule}}}{strokes}{fills}"


def _svg(height: float, title: str, description: str, parts: Sequence[str]) -> str:
    """A file that keeps to the theme of whoever looks at it."""
    light = _colours("#ffffff", "#1f2328", "#d1d9e0", _LIGHT)
    dark = _colours("#0d1117", "#f0f6fc", "#3d444d", _DARK)
    body = "\n".join(parts)
    return f"""\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img" \
aria-labelledby="t d">
<title id="t">{_escaped(title)}</title>
<desc id="d">{_escaped(description)}</desc>
<style>text{{font:12px ui-sans-serif,sans-serif}}path{{fill:none;stroke-width:1.5}}.rule{{stroke-width:1}}{light}\
@media (prefers-color-scheme:dark){{{dark}}}</style>
<rect class="ground" width="{WIDTH}" height="{height}"/>
{body}
</svg>
"""

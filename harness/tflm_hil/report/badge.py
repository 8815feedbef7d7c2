"""The badge: the verdict as an SVG image for a README."""

from __future__ import annotations

from html import escape

from tflm_hil.report.headline import headline
from tflm_hil.report.markup import cut, visible
from tflm_hil.results.model import Results

LABEL = "hil"
LONGEST = 40
# White text on each of them has a contrast of at least 4.5:1 (WCAG 2.1, AA).
_COLOURS = {"pass": "#1a7f37", "fail": "#cf222e", "incomplete": "#9a6700"}
# The mean width of a character of Verdana at 11 px, and the margin on either side of a text.
_CHARACTER, _MARGIN = 7, 6


def render(results: Results) -> str:
    """The text of badge.svg."""
    verdict = headline(results)
    text = cut(visible(str(verdict)), LONGEST)
    left, right = (_CHARACTER * len(part) + 2 * _MARGIN for part in (LABEL, text))
    title = escape(f"{LABEL}: {text}")
    return f"""\
<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="20" role="img" aria-label="{title}">
  <title>{title}</title>
  <rect width="{left + right}" height="20" rx="3" fill="{_COLOURS[verdict.verdict]}"/>
  <path d="M3 0h{left - 3}v20H3a3 3 0 0 1-3-3V3a3 3 0 0 1 3-3z" fill="#444"/>
  <g fill="#fff" text-anchor="middle" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" aria-hidden="true">
    <text x="{left / 2}" y="14" textLength="{left - 2 * _MARGIN}">{LABEL}</text>
    <text x="{left + right / 2}" y="14" textLength="{right - 2 * _MARGIN}">{escape(text)}</text>
  </g>
</svg>
"""

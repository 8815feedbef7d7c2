"""The comment on a pull request: a verdict, what changed and why, and all else folded, within GitHub's limit.

The summary of a job in GitHub Actions is the same text with a higher limit.
"""

from __future__ import annotations

from tflm_hil.report.headline import Headline, headline
from tflm_hil.report.markup import cut, prose
from tflm_hil.report.sections import Section, sections, source_line
from tflm_hil.results.model import Results

COMMENT_LIMIT = 65_536
"""Characters of a comment on GitHub. They are counted as bytes of UTF-8 here, which are never fewer."""
MARKER = "<!-- tflm-hil -->\n"
"""The first line of the comment, by which a later run finds it again."""
RESERVE = 2_000
_SIGNS = {"pass": "\u2705", "fail": "\u274c", "incomplete": "\u26a0\ufe0f"}


def render(results: Results, limit: int = COMMENT_LIMIT) -> str:
    """The text of pull_request.md, of at most `limit` bytes; what does not fit is left out, and counted at the end."""
    verdict = headline(results)
    text = f"{MARKER}## {_verdict_line(verdict)}\n\n{source_line(results)}. {verdict.runs}.\n"
    left_out = []
    for section in sections(results):
        room = limit - RESERVE - _size(text)
        part, missing = _fitted(section, room)
        text += part
        if missing:
            left_out.append(f'{missing:,} of {len(section.items):,} {section.noun} of "{section.title}"')
    if left_out:
        text += f"\nLeft out, because it would be too long: {'; '.join(left_out)}. All of it is in results.json.\n"
    return text


def _verdict_line(verdict: Headline) -> str:
    return f"{_SIGNS[verdict.verdict]} {verdict.verdict.capitalize()}: {prose(cut(verdict.text, 200))}"


def _fitted(section: Section, room: int) -> tuple[str, int]:
    """The section with as many items as `room` has bytes for, and how many are missing."""
    opening, closing = _frame(section)
    room -= _size(opening) + _size(closing)
    items = []
    for item in section.items:
        room -= _size(item)
        if room < 0:
            break
        items.append(item)
    return f"{opening}{''.join(items)}{closing}" if items else "", len(section.items) - len(items)


def _frame(section: Section) -> tuple[str, str]:
    if section.folded:
        title = f"<details><summary>{section.title}</summary>"
        return f"\n{title}\n\n{section.head}", f"{section.foot}\n</details>\n"
    return f"\n### {section.title}\n\n{section.head}", section.foot


def _size(text: str) -> int:
    return len(text.encode())

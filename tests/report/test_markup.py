"""Text from elsewhere in Markdown: what stays as it is, and what becomes code."""

from __future__ import annotations

import pytest
from tflm_hil.report.markup import block, code, prose


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("3 of 60 windows differ, 5% (gesture-int8-aot)", "3 of 60 windows differ, 5% (gesture-int8-aot)"),
        ("1. one", "`1.` one"),
        ("- one - two", "`-` one - two"),
        ("=== one", "`===` one"),
        ("__init__ of gesture_cnn", "`__init__` of gesture_cnn"),
        ("seen by @somebody in #3", "seen by `@somebody` in `#3`"),
        ("a  b\nc", "a b c"),
        ("", ""),
    ],
)
def test_plain_words_stay_and_the_others_become_code(text: str, shown: str) -> None:
    assert prose(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("main", "`main`"),
        ("a`b", "``a`b``"),
        ("`a`", "`` `a` ``"),
        ("a\u202eb\0", "`a\\u202eb\\x00`"),
        ("x" * 300, f"`{'x' * 98}...{'x' * 99}`"),
    ],
)
def test_code_shows_every_character(text: str, shown: str) -> None:
    assert code(text) == shown


def test_a_block_has_the_last_lines_within_a_longer_fence() -> None:
    assert block(["a", "```"]) == "````text\na\n```\n````\n"
    assert block([str(number) for number in range(50)]).startswith("```text\n... 10 lines\n10\n")

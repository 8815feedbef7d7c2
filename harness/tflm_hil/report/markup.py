"""Text from elsewhere in Markdown: names, reasons and notes that must not become markup, links or mentions.

Recordings, symbols and tests are called what somebody called them, and results files come from anywhere. What GitHub
or GitLab would read as markup, as a mention of a person or as a reference to an issue stands in code, where it is
neither; control characters and those that turn the direction of text are written as escapes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

LONGEST = 200
BLOCK_LINES = 40
BLOCK_COLUMNS = 400
_WORD = re.compile(r"[\w.,:;()%+/='-]+")
# Emphasis, addresses, references to issues (GitHub) and to milestones (GitLab), and emoji.
_MARKUP = re.compile(r"(?<![^\W_])_|_(?![^\W_])|//|www\.|GH-\d|%\w|:[\w+-]+:", re.IGNORECASE)
# What would begin a list, or underline the line above.
_LIST = re.compile(r"[-+=]|\d+[.)]$")


def visible(text: str) -> str:
    """`text` in one line, of characters that can be seen."""
    return "".join(c if c.isprintable() else " " if c in "\r\n\t" else _escape(c) for c in text)


def code(text: str, longest: int = LONGEST) -> str:
    """`text` as a code span; what is longer is cut in the middle."""
    shown = cut(visible(text), longest).strip()
    if not shown:
        return "` `"
    fence = "`" * (_longest_run(shown) + 1)
    padding = " " if "`" in (shown[0], shown[-1]) else ""
    return f"{fence}{padding}{shown}{padding}{fence}"


def prose(text: str, longest: int = 2 * LONGEST) -> str:
    """`text` as a sentence: its plain words as they are, all others as code."""
    return " ".join(
        word if _plain(word) and (index or not _LIST.match(word)) else code(word)
        for index, word in enumerate(cut(visible(text), longest).split())
    )


def block(lines: Iterable[str]) -> str:
    """`lines` as a block of code, the last ones if there are many."""
    shown = [cut(visible(line), BLOCK_COLUMNS) for line in lines]
    if len(shown) > BLOCK_LINES:
        shown = [f"... {len(shown) - BLOCK_LINES} lines", *shown[-BLOCK_LINES:]]
    text = "\n".join(shown)
    fence = "`" * max(3, _longest_run(text) + 1)
    return f"{fence}text\n{text}\n{fence}\n"


def cut(text: str, longest: int) -> str:
    """`text`, or its beginning and its end if it is longer than `longest` characters."""
    if len(text) <= longest:
        return text
    head = (longest - 3) // 2
    return f"{text[:head]}...{text[head + 3 - longest :]}"


def _plain(word: str) -> bool:
    return bool(_WORD.fullmatch(word)) and not _MARKUP.search(word)


def _longest_run(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)


def _escape(character: str) -> str:
    number = ord(character)
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"

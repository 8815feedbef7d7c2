"""How a tool of others ended, and the end of what it said, for one line of a message."""

from __future__ import annotations

import re
import signal
from pathlib import Path

_MOST_CHARACTERS = 300
"""Of a line; a bar of progress may be one line of megabytes."""

_COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


def read_log(log: Path) -> str:
    """Return what a tool said, without colours. What is not UTF-8 is left out, and so is what nobody would see."""
    return shown(log.read_text(encoding="utf-8", errors="ignore"))


def shown(said: str) -> str:
    """Return `said` without colours and characters that do not print; what overwrites a line is another line."""
    text = _COLOURS.sub("", said.replace("\r", "\n"))
    return "".join(character for character in text if character == "\n" or character.isprintable())


def last_words(said: str, lines: int) -> str:
    """Return the last `lines` of `said` that say anything, in one line; long ones without their middle."""
    spoken = [line.strip() for line in said.splitlines() if line.strip()]
    return " | ".join(map(_shortened, spoken[-lines:])) or "nothing"


def ending(status: int) -> str:
    """Return what the exit status of a process means; one below 0 is the signal that killed it."""
    if status >= 0:
        return f"ended with {status}"
    number = -status
    known = number in {each.value for each in signal.Signals}
    return f"was killed by {signal.Signals(number).name if known else f'signal {number}'}"


def _shortened(line: str) -> str:
    half = _MOST_CHARACTERS // 2
    return line if len(line) <= _MOST_CHARACTERS else f"{line[:half]} ... {line[-half:]}"

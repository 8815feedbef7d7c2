"""Check that a text neither moves a cursor nor commands a CI system."""

from __future__ import annotations

import re
import unicodedata

INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
COMMAND = re.compile(r"::|##")


def check_harmless(text: str) -> None:
    assert not [character for character in text if unicodedata.category(character) in INVISIBLE]
    assert not COMMAND.search(text)

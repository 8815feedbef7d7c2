"""Bytes of a device as text that terminals, reports and CI logs can show without being told what to do.

This is the only place where bytes of a device become text.
"""

MOST_CHARACTERS = 160
"""A longer text is cut; no honest one is."""

_COMMANDS = {"::": ":\\x3a", "##": "#\\x23"}
"""How commands to GitHub Actions (`::error::`, `##[group]`), Azure Pipelines (`##vso[`) and TeamCity begin."""


def printable(data: bytes) -> str:
    """Return `data`, meant to be UTF-8, as one line of at most about MOST_CHARACTERS characters.

    Whatever is no printable character of Unicode is escaped as Python does it: bytes that are no UTF-8, control
    characters (C0, C1, DEL), characters that change the direction of text or cannot be seen, and those that XML does
    not allow. So are the pairs of characters with which a line can command a CI system.
    """
    text = data[: 4 * MOST_CHARACTERS].decode(errors="backslashreplace")
    escaped = "".join(character if character.isprintable() else repr(character)[1:-1] for character in text)
    for command, harmless in _COMMANDS.items():
        escaped = escaped.replace(command, harmless)
    if len(escaped) <= MOST_CHARACTERS and len(data) <= 4 * MOST_CHARACTERS:
        return escaped
    return f"{escaped[:MOST_CHARACTERS]}... ({len(data)} bytes)"

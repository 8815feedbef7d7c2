"""Make text from bytes of a device that is safe to show in terminals, reports and CI logs.

All texts of a device pass through here.
"""

MOST_CHARACTERS = 160
"""Longer texts are cut; no well-behaved device sends one."""

_COMMANDS = {"::": ":\\x3a", "##": "#\\x23"}
"""The beginnings of commands to GitHub Actions (`::error::`, `##[group]`), Azure Pipelines (`##vso[`) and TeamCity."""


def printable(data: bytes) -> str:
    """Return `data`, which should be UTF-8, as one line of about MOST_CHARACTERS characters at most.

    Everything that is not a printable character of Unicode is escaped as in Python: invalid UTF-8, control characters
    (C0, C1, DEL), invisible characters, characters that change the direction of text, and characters that XML does not
    allow. The pairs of characters that begin a command to a CI system are escaped too.
    """
    text = data[: 4 * MOST_CHARACTERS].decode(errors="backslashreplace")
    escaped = "".join(character if character.isprintable() else repr(character)[1:-1] for character in text)
    for command, harmless in _COMMANDS.items():
        escaped = escaped.replace(command, harmless)
    if len(escaped) <= MOST_CHARACTERS and len(data) <= 4 * MOST_CHARACTERS:
        return escaped
    return f"{escaped[:MOST_CHARACTERS]}... ({len(data)} bytes)"

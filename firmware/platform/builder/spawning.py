"""Run the toolchain without a shell, because a shell would interpret special characters in names of folders.

SCons passes words that are meant for a shell: names of files, and flags with quotes and backslashes as they are written
in platformio.ini.
"""

import subprocess
from collections.abc import Callable
from typing import Any

# Marks words that are names of files.
NAME = "\0"

# A name for the current directory that is the same in every folder. The compiler records it in the image.
SAME_EVERYWHERE = "/proc/self/cwd"


def install(env: Any, programs: frozenset[str]) -> None:
    """Run these programs without a shell, and all others with one, because commands of extra scripts may need it."""
    env.Replace(ESCAPE=lambda name: NAME + name, SPAWN=_spawner(programs, env["SPAWN"], env["ESCAPE"]))


def words(arguments: list[str]) -> list[str]:
    """Return the words for the program: names of files as they are, flags without their quoting."""
    return [word.removeprefix(NAME) if word.startswith(NAME) else _unquoted(word) for word in arguments]


def _spawner(
    programs: frozenset[str], in_shell: Callable[..., int], quoted: Callable[[str], str]
) -> Callable[[str, Any, str, list[str], dict[str, str]], int]:
    def spawn(shell: str, escape: Any, command: str, arguments: list[str], variables: dict[str, str]) -> int:
        if words([command])[0] not in programs:
            return in_shell(
                shell,
                escape,
                command,
                [quoted(word.removeprefix(NAME)) if word.startswith(NAME) else word for word in arguments],
                variables,
            )
        return subprocess.run(words(arguments), env=variables | {"PWD": SAME_EVERYWHERE}).returncode

    return spawn


def _unquoted(word: str) -> str:
    """`word` without quotes, except after a backslash; a backslash before other characters stays."""
    out, escaped = [], False
    for character in word:
        if escaped:
            out.append(character if character in '"\\' else "\\" + character)
            escaped = False
        elif character == "\\":
            escaped = True
        elif character != '"':
            out.append(character)
    return "".join(out) + ("\\" if escaped else "")

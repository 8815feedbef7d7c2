"""Runs the toolchain without a shell, which would read more into the names of folders than is meant.

SCons hands over words as a shell should get them: the names of files by themselves, and the words around them as flags
are written in platformio.ini, with quotes and backslashes before them.
"""

import subprocess
from collections.abc import Callable
from typing import Any

# A file's name by itself, which SCons marks so.
NAME = "\0"

# The same directory under any name, and the compiler writes down this one: the image does not depend on the folder.
SAME_EVERYWHERE = "/proc/self/cwd"


def install(env: Any, programs: frozenset[str]) -> None:
    """Have these programs run without a shell; what an extra script runs may want one."""
    env.Replace(ESCAPE=lambda name: NAME + name, SPAWN=_spawner(programs, env["SPAWN"], env["ESCAPE"]))


def words(arguments: list[str]) -> list[str]:
    """The words as a program is to get them."""
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
    """Without quotes but those behind a backslash; a backslash before anything else is one."""
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

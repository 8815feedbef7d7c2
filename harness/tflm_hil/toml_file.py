"""Read the project's TOML manifests into typed structures."""

import re
import tomllib
from collections.abc import Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from tflm_hil.errors import HilError
from tflm_hil.manifest_keys import remedy

T = TypeVar("T")

_PLACE = re.compile(r"(?<= - at `)(?:(?P<path>\$[^`]*)|key` in `(?P<table>\$[^`]*))(?=`$)")
_STEP = re.compile(r"\.(?P<key>[^.\[\]]+)|\[(?P<index>\d+)\]|\[\.\.\.\]")
"""A step on msgspec's path to a value, which has [...] for each key of a table whose keys the user chooses."""


def read_toml(path: Path, kind: type[T]) -> T:
    """Read the file `path` into a `kind`, a msgspec structure.

    Raises HilError, which names the file and the key, if the file cannot be read, is not TOML or does not fit `kind`.
    """
    return fit(str(path), path.name, decode_toml(path), kind)


def decode_toml(path: Path) -> dict[str, Any]:
    """Return the content of the file `path`. Raises HilError, which names it, if it cannot be read or is not TOML."""
    try:
        text = path.read_bytes().decode()
        if text.startswith("\ufeff"):
            raise HilError(f"{path}: begins with a byte order mark; save it as UTF-8 without one")
        return tomllib.loads(text)
    except OSError as error:
        raise HilError(f"{path}: cannot be read ({error.strerror}); create it or correct the path") from error
    except UnicodeDecodeError as error:
        raise HilError(f"{path}: is not UTF-8; save it as UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise HilError(f"{path}: is not TOML: {error}; correct that line") from error
    except (ValueError, RecursionError) as error:  # of a number or a list that is too long or too deep for Python
        raise HilError(f"{path}: cannot be read: {error}; shorten it") from None


def fit(where: str, manifest: str, content: object, kind: type[T]) -> T:
    """Return `content` as a `kind`. `where` names its source; `manifest` is the one of manifest_keys.py with its keys.

    Raises HilError, which names `where` and the key, if the content does not fit `kind`.
    """
    try:
        return _converted(content, kind)
    except msgspec.ValidationError as error:
        problem = _PLACE.sub(lambda place: _named(place, content, kind), str(error))
        # A key may have line breaks in it, but a message has none.
        problem = "".join(character if character.isprintable() else repr(character)[1:-1] for character in problem)
        raise HilError(f"{where}: {problem}; {remedy(manifest, str(error))}") from error


def _named(place: re.Match[str], content: object, kind: type[Any]) -> str:
    """The place of a problem that msgspec has with `content`, with the keys of all tables."""
    path, steps = "$", list[str | int]()
    for step in _STEP.finditer((place["path"] or place["table"] + "[...]")[1:]):
        key: str | int = step["key"] or int(step["index"] or 0)
        if step[0] == "[...]":
            alone = {key: _with_only(content, steps, key) for key in _at(content, steps)}
            key, content = next((key, rest) for key, rest in alone.items() if _has(place.string, rest, kind))
        steps.append(key)
        path += step[0] if step["index"] else f".{key}"
    return path


def _at(content: Any, steps: Sequence[str | int]) -> Any:
    for step in steps:
        content = content[step]
    return content


def _with_only(content: Any, steps: Sequence[str | int], key: str) -> Any:
    """`content`, of whose table at `steps` the entry `key` is left."""
    if not steps:
        return {key: content[key]}
    copy = content.copy()
    copy[steps[0]] = _with_only(content[steps[0]], steps[1:], key)
    return copy


def _has(problem: str, content: object, kind: type[Any]) -> bool:
    """Whether msgspec has the same `problem` with `content`."""
    try:
        _converted(content, kind)
    except msgspec.ValidationError as error:
        return str(error) == problem
    return False


def _converted(content: object, kind: type[T]) -> T:
    return msgspec.convert(content, kind, builtin_types=(datetime, date, time), str_keys=True)


def line_of(path: Path, keys: Sequence[str], item: str = "") -> int:
    """The line of the file `path`, from 1 on, that sets the key, or begins the table, of the path `keys`; 1 if
    none does.

    If its value is a list, `item` may be one of its strings, to get the line of that one. Keys in arrays of tables are
    not found. Raises HilError as `decode_toml`.
    """
    decode_toml(path)
    lines = path.read_text(encoding="utf-8").splitlines()
    table: list[str] = []
    begin = 0
    for end in range(1, len(lines) + 1):
        try:
            statement = tomllib.loads("\n".join(lines[begin:end]))
        except tomllib.TOMLDecodeError:
            continue  # A value goes on in the next line.
        if lines[begin].lstrip().startswith("["):
            table = _only_path(statement)
            if table == list(keys):
                return begin + 1
        elif statement and list(keys[: len(table)]) == table and _holds(statement, keys[len(table) :]):
            quoted = (number for number in range(begin, end) if item and item in lines[number])
            return next(quoted, begin) + 1
        begin = end
    return 1


def _only_path(statement: dict[str, Any]) -> list[str]:
    """The keys that lead to the only table in `statement`, of one header."""
    path: list[str] = []
    found: Any = statement
    while isinstance(found, dict) and found:
        key, found = next(iter(found.items()))
        path.append(key)
    return path


def _holds(statement: Any, keys: Sequence[str]) -> bool:
    return not keys or (isinstance(statement, dict) and keys[0] in statement and _holds(statement[keys[0]], keys[1:]))

"""Read the project's TOML manifests into typed structures."""

import tomllib
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from tflm_hil.errors import HilError
from tflm_hil.manifest_keys import remedy

T = TypeVar("T")


def read_toml(path: Path, kind: type[T]) -> T:
    """Read the file `path` into a `kind`, a msgspec structure.

    Raises HilError, which names the file and the key, if the file cannot be read, is not TOML or does not fit `kind`.
    """
    return fit(str(path), path.name, decode_toml(path), kind)


def decode_toml(path: Path) -> dict[str, Any]:
    """Return the content of the file `path`. Raises HilError, which names it, if it cannot be read or is not TOML."""
    try:
        return tomllib.loads(path.read_bytes().decode())
    except OSError as error:
        raise HilError(f"{path}: cannot be read ({error.strerror}); create it or correct the path") from error
    except UnicodeDecodeError as error:
        raise HilError(f"{path}: is not UTF-8; save it as UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise HilError(f"{path}: is not TOML: {error}; correct that line") from error


def fit(where: str, manifest: str, content: object, kind: type[T]) -> T:
    """Return `content` as a `kind`. `where` names its source; `manifest` is the one of manifest_keys.py with its keys.

    Raises HilError, which names `where` and the key, if the content does not fit `kind`.
    """
    try:
        return msgspec.convert(content, kind, builtin_types=(datetime, date, time), str_keys=True)
    except msgspec.ValidationError as error:
        # A key may have line breaks in it, but a message has none.
        problem = "".join(character if character.isprintable() else repr(character)[1:-1] for character in str(error))
        raise HilError(f"{where}: {problem}; {remedy(manifest, str(error))}") from error

"""Read the project's TOML manifests into typed structures."""

import tomllib
from pathlib import Path
from typing import TypeVar

import msgspec

from tflm_hil.errors import HilError
from tflm_hil.manifest_keys import remedy

T = TypeVar("T")


def read_toml(path: Path, kind: type[T]) -> T:
    """Read the file `path` into a `kind`, a msgspec structure.

    Raises HilError, which names the file and the key, if the file cannot be read, is not TOML or does not fit `kind`.
    """
    try:
        return msgspec.toml.decode(path.read_bytes(), type=kind)
    except OSError as error:
        raise HilError(f"{path}: cannot be read ({error.strerror}); create it or correct the path") from error
    except UnicodeDecodeError as error:
        raise HilError(f"{path}: is not UTF-8; save it as UTF-8") from error
    except msgspec.ValidationError as error:
        raise HilError(f"{path}: {error}; {remedy(path.name, str(error))}") from error
    except (msgspec.DecodeError, tomllib.TOMLDecodeError) as error:
        raise HilError(f"{path}: is not TOML: {error}; correct that line") from error

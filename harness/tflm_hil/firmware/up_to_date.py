"""Whether an image is up to date, without starting PlatformIO, which takes a second to say so.

After each build its record is written: what PlatformIO was asked, and a digest of every file that had a part in the
answer. These are the sources and headers that the compiler and the linker have listed (firmware/platform/builder/
products.py), what the builder says that it looked at (consulted.py there), and the products themselves. If all of that
is the same, PlatformIO would do nothing. In any other case, and in any doubt, PlatformIO is asked.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import msgspec

from tflm_hil.files import write_text
from tflm_hil.firmware import toolchain

_CONSULTED = "consulted.json"
_BESIDE = (".bin", ".map")
_NO_SOURCES = {"__pycache__", ".git"}


class _Record(msgspec.Struct, frozen=True):
    """The digest of the question, and those of files by their paths: all that are in `folders`, and others."""

    question: str
    folders: list[str]
    digests: dict[str, str]


class _Consulted(msgspec.Struct, frozen=True):
    files: list[str]
    folders: list[str]


class _Made(msgspec.Struct, frozen=True):
    inputs: dict[str, str]


class Memory:
    """The record `file` of the build of `elf`, in a project at `root`.

    `question` is the command with the environment variables that PlatformIO is started with. Files below `own` are
    written by the harness and by builds, and by nobody else.
    """

    def __init__(
        self, file: Path, elf: Path, root: Path, own: Path, question: tuple[Sequence[str], Mapping[str, str]]
    ) -> None:
        self._file, self._elf, self._root, self._own = file, elf, root, own
        self._question = _digest_of(json.dumps([question, _tools()], sort_keys=True).encode())

    def is_up_to_date(self) -> bool:
        """Whether nothing has changed since `remember`."""
        try:
            record = msgspec.json.decode(self._file.read_bytes(), type=_Record)
            return record.question == self._question and record.digests == _digests(
                [*record.digests, *_files_in(record.folders)]
            )
        except (OSError, msgspec.MsgspecError):
            return False

    def forget(self) -> None:
        """Note that a build begins."""
        write_text(self._file, "")

    def remember(self) -> None:
        """Note that the build that has begun succeeded.

        A file that was changed while it ran may have been read before that or after. Then nothing is remembered.
        """
        begun = self._file.stat().st_ctime_ns
        try:
            consulted = msgspec.json.decode(self._elf.with_name(_CONSULTED).read_bytes(), type=_Consulted)
            files = {*consulted.files, *_files_in(consulted.folders), *self._listed_by_compilers()}
            files |= {str(self._elf.with_suffix(suffix)) for suffix in _BESIDE}
            changed = any(_changed_since(name, begun) for name in files if not Path(name).is_relative_to(self._own))
        except (OSError, msgspec.MsgspecError):
            return
        if not changed:
            record = _Record(self._question, consulted.folders, _digests(files))
            write_text(self._file, msgspec.json.encode(record).decode())

    def _listed_by_compilers(self) -> set[str]:
        """The image with all files that it was made of, and those that these were made of.

        Raises OSError for an object of which that is not known.
        """
        found: set[str] = set()
        new = {str(self._elf)}
        while new:
            made = [file for file in new if file.endswith((".o", ".elf"))]
            found |= new
            inputs = (msgspec.json.decode(Path(f"{file}.made").read_bytes(), type=_Made).inputs for file in made)
            new = {os.path.normpath(self._root / name) for names in inputs for name in names} - found
        return found


def _tools() -> list[str]:
    """What a build is made with: changes of these change products as well."""
    packages = (f"{name} {importlib.metadata.version(name)}" for name in ("platformio", "scons"))
    return [*packages, *toolchain.identity()]


def _files_in(folders: Iterable[str]) -> Iterable[str]:
    """Raises OSError for a link to another folder, whose files are not looked at."""
    for folder in folders:
        for path, inside, names in os.walk(folder):
            inside[:] = [name for name in inside if name not in _NO_SOURCES]
            if any(os.path.islink(os.path.join(path, name)) for name in inside):  # noqa: PTH114, PTH118 (for speed)
                raise OSError(f"{path} has links to folders")
            yield from (os.path.join(path, name) for name in names)  # noqa: PTH118


def _digests(files: Iterable[str]) -> dict[str, str]:
    return {name: _digest(name) for name in set(files)}


def _digest(name: str) -> str:
    try:
        with open(name, "rb") as file:  # noqa: PTH123 (for speed)
            return _digest_of(file.read())
    except OSError:
        return "none"


def _digest_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _changed_since(name: str, begun: int) -> bool:
    try:
        return os.stat(name).st_ctime_ns >= begun  # noqa: PTH116 (for speed)
    except OSError:
        return True

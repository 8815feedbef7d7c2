"""Write files completely or not at all; find and check folders."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from tflm_hil.errors import HilError, InfrastructureError

# More than a report and its JUnit file need: a folder without this much space counts as full.
PROBE_BYTES = 256 * 1024


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8; see `write_bytes`."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, content: bytes) -> None:
    """Write `content` beside `path`, then rename: a reader sees the old file or the new one, never half of it.

    Raises:
        InfrastructureError: the folder cannot be created or written to, or the disk is full.
    """
    try:
        aside = _write_aside(path, content)
        try:
            aside.replace(path)
        except BaseException:
            aside.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise InfrastructureError(
            f"cannot write {path}: {error.strerror}; free some space or choose another folder"
        ) from error


def write_all(contents: Mapping[Path, bytes | str]) -> None:
    """Write every file beside its path, then rename all: either none is changed, or all are, also on Ctrl-C.

    Raises:
        InfrastructureError: a folder cannot be created or written to, or the disk is full.
    """
    staged: dict[Path, Path] = {}
    try:
        try:
            for path, content in contents.items():
                staged[path] = _write_aside(path, content.encode() if isinstance(content, str) else content)
        except BaseException:
            for aside in staged.values():
                aside.unlink(missing_ok=True)
            raise
        interrupted: KeyboardInterrupt | None = None
        while staged:
            try:
                path, aside = next(iter(staged.items()))
                aside.replace(path)
                del staged[path]
            except KeyboardInterrupt as error:  # Half of the files would be worse than a late end.
                interrupted = error
                staged = {path: aside for path, aside in staged.items() if aside.exists()}
        if interrupted:
            raise interrupted
    except OSError as error:
        raise InfrastructureError(
            f"cannot write {error.filename}: {error.strerror}; free some space or choose another folder"
        ) from error


def _write_aside(path: Path, content: bytes) -> Path:
    """Write `content` to a new file beside `path`, which is left only if it is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    aside = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        aside.chmod(0o644)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
    return aside


class Snapshot:
    """The state of some files at one moment, to find out later which of them changed."""

    def __init__(self, paths: Iterable[Path]) -> None:
        self._states = {path: _state(path) for path in paths}

    def changed(self) -> list[Path]:
        """Return the files that have been written, replaced or deleted since."""
        return [path for path, state in self._states.items() if _state(path) != state]


def _state(path: Path) -> tuple[int, ...] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def probe_folder(folder: Path) -> None:
    """Check that `folder` can be written to, before minutes are spent on its contents.

    Raises:
        HilError: it cannot be created, is not a folder, is read-only or is full.
    """
    if folder.exists() and not folder.is_dir():
        raise HilError(f"{folder}: is a file, not a folder; choose a folder")
    probe = folder / ".probe"
    write_text(probe, "\0" * PROBE_BYTES)
    probe.unlink()

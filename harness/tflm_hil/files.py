"""Files that are there whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from tflm_hil.errors import HilError

# A report with its JUnit file stays well below this; a folder that cannot take so much is as good as full.
PROBE_BYTES = 256 * 1024


def write_text(path: Path, text: str) -> None:
    """Write `text` (UTF-8) beside `path`, then rename: a reader sees the old file or the new one, never half of it.

    Raises:
        HilError: the folder cannot be made or written to, or the disk is full.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
                file.write(text)
            Path(name).chmod(0o644)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise HilError(f"cannot write {path}: {error.strerror}; free or name another folder") from error


class Snapshot:
    """The state of some files at one moment."""

    def __init__(self, paths: Iterable[Path]) -> None:
        self._states = {path: _state(path) for path in paths}

    def changed(self) -> list[Path]:
        """Those that were written, replaced or deleted since."""
        return [path for path, state in self._states.items() if _state(path) != state]


def _state(path: Path) -> tuple[int, ...] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def project_root(start: Path) -> Path:
    """The folder of the project that `start` lies in: the nearest one upwards with a platformio.ini or a
    hil.toml.

    Raises:
        HilError: there is none.
    """
    for folder in (start, *start.parents):
        if any((folder / name).is_file() for name in ("platformio.ini", "hil.toml")):
            return folder
    raise HilError(f"{start}: no platformio.ini or hil.toml here or in a folder above; run inside a tflm-hil project")


def probe_folder(folder: Path) -> None:
    """Make sure that `folder` can be written to, before minutes are spent on what it is to hold.

    Raises:
        HilError: it cannot be made, is not a folder, is read-only or is full.
    """
    if folder.exists() and not folder.is_dir():
        raise HilError(f"{folder}: is a file, and a folder is needed; name another")
    probe = folder / ".probe"
    write_text(probe, "\0" * PROBE_BYTES)
    probe.unlink()

"""The folder of an export: written aside, then renamed, and replaced only if nobody else has written to it."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import msgspec

from tflm_hil.errors import HilError, InfrastructureError

MANIFEST = "export.json"


class _Manifest(msgspec.Struct):
    """What was written: the SHA-256 of each file by its path in the folder."""

    schema: Literal["hil-export/1"]
    files: dict[str, str]


def check_folder(folder: Path, force: bool) -> None:
    """Raise HilError if `write_folder` would not replace `folder`: before anything is generated for it."""
    if Path.cwd().resolve().is_relative_to(folder.resolve()):
        raise HilError(f"--out {folder}: this command runs in it; name a folder for the export alone")
    if not force and (reason := _foreign(folder)):
        raise HilError(f"--out {folder}: {reason}; name another folder, or replace it with --force")


def write_folder(folder: Path, files: Mapping[str, str | Path], force: bool) -> Path | None:
    """Write `files`, by their paths in `folder`: text, or a file to copy. What was there before is replaced as a whole.

    With `force` a folder that somebody else has written to is moved aside; returns where it is then, else None.

    Raises:
        HilError: `check_folder` refuses the folder, or it cannot be written.
    """
    check_folder(folder, force)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as aside:
            made = Path(aside) / "new"
            _fill(made, files)
            kept = _free_name(folder) if _foreign(folder) else None
            if folder.exists() or folder.is_symlink():
                folder.rename(kept or Path(aside) / "old")
            made.rename(folder)
    except OSError as error:
        raise InfrastructureError(
            f"cannot write {folder}: {error.strerror}; free some space or choose another folder"
        ) from error
    return kept


def _fill(made: Path, files: Mapping[str, str | Path]) -> None:
    digests = {}
    for name, content in files.items():
        path = made / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Path):
            shutil.copyfile(content, path)
        else:
            path.write_text(content, encoding="utf-8", newline="")
        digests[name] = _digest(path)
    manifest = msgspec.json.encode(_Manifest("hil-export/1", digests))
    (made / MANIFEST).write_bytes(msgspec.json.format(manifest) + b"\n")


def _foreign(folder: Path) -> str:
    """What in `folder` no export has written; empty if it may be replaced, or is not there."""
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        return "is no folder"
    if not folder.exists() or not any(folder.iterdir()):
        return ""
    try:
        manifest = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=_Manifest)
    except (OSError, msgspec.MsgspecError):
        return f"is not of this command, which leaves {MANIFEST}"
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_dir() or name == MANIFEST:
            continue
        if name not in manifest.files:
            return f"has {name}, which is not of this command"
        if _digest(path) != manifest.files[name]:
            return f"{name} was changed since it was exported"
    return ""


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _free_name(folder: Path) -> Path:
    """A name beside `folder` that nothing has."""
    number, name = 1, folder.with_name(f"{folder.name}.old")
    while name.exists() or name.is_symlink():
        number += 1
        name = folder.with_name(f"{folder.name}.old{number}")
    return name

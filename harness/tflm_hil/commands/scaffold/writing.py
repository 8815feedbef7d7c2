"""Write the files of a project where nothing is yet."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tflm_hil.commands.scaffold.parts import Content
from tflm_hil.errors import HilError

SHOWN = 3


def write(root: Path, files: Mapping[str, Content]) -> None:
    """Write `files` to the folder `root`: all of them, or none.

    Raises:
        HilError: some are there already, or cannot be written.
    """
    if there := list(dict.fromkeys(taken for name in files if (taken := _taken(root, name)))):
        more = f" and {len(there) - SHOWN} more" if len(there) > SHOWN else ""
        raise HilError(f"{root}: has {', '.join(there[:SHOWN])}{more} already, so nothing was written; move that away")
    written: list[Path] = []
    try:
        made = _make_folder(root, written)
        with tempfile.TemporaryDirectory(dir=made, prefix=".hil-") as staged:
            for name, content in files.items():
                whole = Path(staged) / "file"
                if isinstance(content, Path):
                    shutil.copyfile(content, whole)
                else:
                    whole.write_bytes(content.encode() if isinstance(content, str) else content)
                _make_folder((root / name).parent, written)
                whole.rename(root / name)
                written.append(root / name)
    except BaseException as error:
        for path in reversed(written):
            path.rmdir() if path.is_dir() else path.unlink()
        if isinstance(error, OSError):
            raise HilError(f"cannot write to {root}: {error.strerror}; free or name another folder") from error
        raise


def _taken(root: Path, name: str) -> str:
    """What is in the way of the file `name`: something of that name, or a file where a folder is needed; or ""."""
    path = root / name
    if path.exists() or path.is_symlink():
        return name
    folders = (folder for folder in path.relative_to(root).parents if (root / folder).is_file())
    return next((folder.as_posix() for folder in folders), "")


def _make_folder(folder: Path, made: list[Path]) -> Path:
    """Make `folder` and what is above it; what was not there before is added to `made`."""
    if not folder.is_dir():
        _make_folder(folder.parent, made)
        folder.mkdir()
        made.append(folder)
    return folder

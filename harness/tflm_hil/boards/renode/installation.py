"""Where Renode is, and which version of it."""

import functools
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tflm_hil.errors import HilError

VARIABLE = "HIL_RENODE"
REMEDY = f"install it (`renode-run download`; or put renode on PATH, or name its executable in {VARIABLE})"

OLDEST = (1, 16, 0)
"""Its notes tell of two faults that earlier ones have: crashes of a UART's pseudo-terminal, and wrong counts of
instructions. Nothing older than 1.16.1 was tried."""

_PROGRAM = "renode"
_VERSION_S = 30.0
_CONFIGURATION = Path(".config", "renode", "renode-run.json")
_MAJOR = "2"
_PREFERRED = "dotnet-portable"


def find(environment: Mapping[str, str] = os.environ) -> Path:
    """Return Renode's executable: HIL_RENODE, else what renode-run has installed, else the one on PATH.

    Raises HilError with the remedy if there is none, or if HIL_RENODE or renode-run's configuration is wrong.
    """
    if named := environment.get(VARIABLE):
        path = Path(named).expanduser()
        if not _runs(path):
            raise HilError(f"{VARIABLE}={named}: it is no executable file; name the executable of Renode")
        return path.absolute()
    if installed := next(_of_renode_run(), None):
        return installed
    if found := shutil.which(_PROGRAM, path=environment.get("PATH")):
        return Path(found)
    raise HilError(f"Renode is not installed; {REMEDY}")


def version(renode: Path) -> str:
    """Return the version of the executable `renode`, e.g. `1.16.1`. Raises HilError if it has none or is too old."""
    said = _said(renode)
    found = re.search(r"\bRenode\b\D*(\d+(?:\.\d+)+)", said, re.IGNORECASE)
    if found is None:
        raise HilError(f"{renode} --version says {' '.join(said.split())[:200] or 'nothing'}; {REMEDY}")
    if tuple(map(int, found[1].split("."))) < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        raise HilError(f"{renode} is Renode {found[1]}, and at least {oldest} is needed; {REMEDY}")
    return found[1]


@functools.cache
def _said(renode: Path) -> str:
    try:
        done = subprocess.run(
            [renode, "--version"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=_VERSION_S,
            check=False,
        )
    except OSError as error:
        raise HilError(f"{renode}: cannot start: {error.strerror}; {REMEDY}") from None
    except subprocess.TimeoutExpired:
        raise HilError(f"{renode} --version did not end within {_VERSION_S:g} s; {REMEDY}") from None
    return done.stdout


def _of_renode_run() -> Iterator[Path]:
    """The executables that renode-run has installed: its defaults first, and of those the variant that was tried."""
    file = Path.home() / _CONFIGURATION
    if not file.is_file():
        return
    try:
        content: Any = json.loads(file.read_text(encoding="utf-8"))
        if str(content["version"]).partition(".")[0] != _MAJOR:
            return  # The configuration of another generation of renode-run: nothing is known of it.
        defaults: dict[str, str] = content.get("default", {})
        folders = [defaults[variant] for variant in sorted(defaults, key=lambda variant: variant != _PREFERRED)]
        folders += content.get("installations", {})
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        raise HilError(f"{file}: it is damaged; delete it, then `renode-run download`") from None
    yield from (program for folder in folders if _runs(program := Path(folder) / _PROGRAM))


def _runs(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)

"""Which boards are at work for whom: a small file for each, which `hil fleet` reads."""

from __future__ import annotations

import contextlib
import getpass
import itertools
import os
import time
from pathlib import Path

import msgspec

from tflm_hil.errors import HilError
from tflm_hil.files import write_text

FOLDER = Path(".hil") / "fleet"
"""Where the files are, in the folder of a project."""

_WRITE_EVERY_S = 0.5
_numbers = itertools.count()


class Activity(msgspec.Struct, frozen=True):
    """What a board does for the process `pid` of `user`, `since` the seconds of the epoch.

    `what` is the recording, the test or the like that `firmware` is at; both are "" of a board that waits for work.
    """

    board: str
    pid: int
    user: str
    since: float
    firmware: str = ""
    what: str = ""
    done: int = 0
    total: int = 0


class ActivityFile:
    """The file of one board in `folder`, from now until `remove`. Nothing depends on it: what cannot be written is not.

    A process that is killed leaves its files; `read_fleet` removes them.
    """

    def __init__(self, folder: Path, board: str) -> None:
        self._path = folder / f"{os.getpid()}-{next(_numbers)}.json"
        self._idle = Activity(board, os.getpid(), _user(), time.time())
        self._activity = self._idle
        self._written_at = 0.0
        self._write()

    def begin(self, firmware: str, what: str) -> None:
        """`firmware` is at `what` from now on."""
        self._activity = msgspec.structs.replace(self._idle, firmware=firmware, what=what, since=time.time())
        self._write()

    def progress(self, done: int, total: int) -> None:
        """So many of `total` windows are done."""
        self._activity = msgspec.structs.replace(self._activity, done=done, total=total)
        if time.monotonic() - self._written_at >= _WRITE_EVERY_S:
            self._write()

    def end(self) -> None:
        """The board waits for work from now on."""
        self._activity = msgspec.structs.replace(self._idle, since=time.time())
        self._write()

    def remove(self) -> None:
        """The process has no use for the board any more; removing twice is harmless."""
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)

    def _write(self) -> None:
        self._written_at = time.monotonic()
        with contextlib.suppress(HilError):
            write_text(self._path, msgspec.json.encode(self._activity).decode())


def read_fleet(root: Path) -> list[Activity]:
    """Return what the boards of the project at `root` do, by their names; files of processes that are gone go too."""
    found = []
    for path in sorted((root / FOLDER).glob("[0-9]*.json")):
        try:
            activity = msgspec.json.decode(path.read_bytes(), type=Activity)
        except (OSError, msgspec.MsgspecError):  # It has just been removed, or is of another version.
            continue
        if _lives(activity.pid):
            found.append(activity)
        else:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
    return sorted(found, key=lambda activity: (activity.board, activity.pid))


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # It is another user's.
        return True
    return True


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return str(os.getuid())

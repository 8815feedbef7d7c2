"""Which processes have a port: those that opened its device file, and those that locked it."""

from __future__ import annotations

import contextlib
import os
import pwd
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")

_MASTERS = {Path("/dev/ptmx"), Path("/dev/pts/ptmx")}
_MOST_CHARACTERS = 60
# "1: FLOCK  ADVISORY  WRITE 4242 00:06:345 0 EOF": proc_locks(5). Device numbers are hexadecimal.
_LOCK = re.compile(r"\d+: \S+ +\S+ +\S+ +(?P<pid>\d+) (?P<major>[0-9a-f]+):(?P<minor>[0-9a-f]+):(?P<inode>\d+) ")


@dataclass(frozen=True, order=True)
class Holder:
    """A process that has a port."""

    pid: int
    user: str
    command: str

    def __str__(self) -> str:
        return f"{self.command} (process {self.pid} of {self.user})"


def holders(file: Path) -> list[Holder]:
    """Return the other processes that opened or locked `file`, as far as Linux tells; none where there is no /proc.

    What processes of other users opened is only told to root; what they locked is told to all.
    """
    pids = {*_openers(file.resolve()), *_lockers(file)} - {os.getpid()}
    return sorted(holder for pid in pids if (holder := _holder(pid)) is not None)


def _openers(file: Path) -> Iterator[int]:
    for folder in PROC.glob("[0-9]*/fd"):
        opened = set(_opened(folder))
        # The process behind a pseudo-terminal is its board, not one of its users.
        if file in opened and not (file.parent.name == "pts" and opened & _MASTERS):
            yield int(folder.parent.name)


def _opened(folder: Path) -> Iterator[Path]:
    with contextlib.suppress(OSError):  # It has ended, or is another user's.
        for descriptor in folder.iterdir():
            with contextlib.suppress(OSError):  # It is closed by now.
                yield descriptor.readlink()


def _lockers(file: Path) -> Iterator[int]:
    try:
        status, locks = file.stat(), (PROC / "locks").read_text(encoding="utf-8")
    except OSError:
        return
    wanted = os.major(status.st_dev), os.minor(status.st_dev), status.st_ino
    for lock in map(_LOCK.match, locks.splitlines()):
        if lock and (int(lock["major"], 16), int(lock["minor"], 16), int(lock["inode"])) == wanted:
            yield int(lock["pid"])


def _holder(pid: int) -> Holder | None:
    try:
        folder = PROC / str(pid)
        words = (folder / "cmdline").read_bytes().decode(errors="replace").rstrip("\0").split("\0")
        owner = folder.stat().st_uid
    except OSError:  # It has ended.
        return None
    command = "".join(filter(str.isprintable, shlex.join([Path(words[0]).name, *words[1:]])))
    shown = command if len(command) <= _MOST_CHARACTERS else f"{command[:_MOST_CHARACTERS]}..."
    try:
        return Holder(pid, pwd.getpwuid(owner).pw_name, shown)
    except KeyError:
        return Holder(pid, f"user {owner}", shown)

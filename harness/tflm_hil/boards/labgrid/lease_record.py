"""Which run of this user on this machine holds a place: the coordinator only knows user and machine."""

from __future__ import annotations

import fcntl
import os
import re
from pathlib import Path

from tflm_hil.boards.labgrid.place import Place
from tflm_hil.errors import HilError


class LeaseRecord:
    """A file for a place that `me` acquires from the coordinator at `address`.

    It is locked as long as the place is held, and has the process id of the run and the moment when the coordinator
    changed the place. So what a killed run has left can be told from what the user has acquired by hand.
    """

    def __init__(self, address: str, place: str, me: str) -> None:
        name = re.sub(r"[^A-Za-z0-9.-]+", "-", f"{address} {place} {me}")
        self.path = _directory() / f"{name}.lease"
        self._descriptor: int | None = None

    def lock(self) -> bool:
        """Return whether no other run has it. Raises HilError if the file cannot be opened."""
        if self._descriptor is not None:
            return True
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise HilError(
                f"{self.path}: cannot note there who has the place: {error.strerror}: mend it, or set XDG_STATE_HOME"
            ) from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        return True

    @property
    def pid(self) -> int | None:
        """The run that acquired the place last, as far as the file can be read."""
        written = self._read()
        return written[0] if written else None

    def is_of(self, place: Place) -> bool:
        """Return whether the one who holds `place` is the run that has written it last."""
        written = self._read()
        return written is not None and written[1] == place.changed

    def write(self, pid: int, changed: float) -> None:
        """Note that the run `pid` has acquired the place. It must be locked."""
        assert self._descriptor is not None
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{pid} {changed!r}".encode(), 0)

    def unlock(self) -> None:
        """Let others have it; unlocking twice is harmless."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _read(self) -> tuple[int, float] | None:
        try:
            pid, changed = self.path.read_text().split()
            return int(pid), float(changed)
        except (OSError, ValueError):
            return None


def _directory() -> Path:
    """Return a directory of this user that outlives a restart of the machine."""
    state = os.environ.get("XDG_STATE_HOME")
    return (Path(state) if state else Path.home() / ".local" / "state") / "tflm-hil" / "labgrid"

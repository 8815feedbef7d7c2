"""Pseudo-terminals that are plugged in and out."""

from __future__ import annotations

import os
from pathlib import Path


class Pty:
    """A terminal under a name that stays the same while the terminal goes and comes, as a board's USB port does."""

    def __init__(self, name: Path) -> None:
        self.name = name
        self.master = -1

    def plug(self, name: Path | None = None) -> None:
        self.name = name or self.name
        self.master, self._slave = os.openpty()
        self.name.symlink_to(os.ttyname(self._slave))

    def unplug(self) -> None:
        os.close(self._slave)
        os.close(self.master)
        self.name.unlink()
        self.master = -1

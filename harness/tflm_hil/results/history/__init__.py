"""The history of a project: what each session measured, in a local SQLite database, `.hil/history.sqlite`."""

from __future__ import annotations

from pathlib import Path

FILE = "history.sqlite"


def place(root: Path) -> Path:
    """Where the history of the project at `root` is."""
    return root / ".hil" / FILE

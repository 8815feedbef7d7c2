"""A model with what it is fed with, as files of a project that is still to be written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

Content = str | bytes | Path
"""A file: its text, its bytes, or the file that it is a copy of."""


@dataclass(frozen=True)
class Parts:
    """The `files` to write, by their paths in the project; `present` are those that lie in it already.

    `about` says what the model is and how it is fed; `guesses` say what of its manifests nobody has said.
    """

    about: str
    files: Mapping[str, Content]
    present: Mapping[str, Path] = field(default_factory=dict)
    guesses: tuple[str, ...] = ()

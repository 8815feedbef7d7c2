"""Programs that stand in for tools: first on PATH, they note how they were called, and behave as the test says."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import pytest

_ARGUMENT, _CALL = "\x1f", "\x1e"


class StandIns:
    """A folder of programs, first on PATH."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._folder = folder
        self._calls = folder / "calls"
        folder.mkdir()
        monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)

    def add(self, name: str, body: str = "") -> Path:
        """Put `name` there, which runs `body`, commands of the shell; return its path."""
        program = self._folder / name
        note = f"printf '%s{_ARGUMENT}' \"$@\" >>{shlex.quote(str(self._calls))}\n"
        end = f"printf '{_CALL}' >>{shlex.quote(str(self._calls))}\n"
        program.write_text(f"#!/bin/sh\n{note}{end}{body}\n")
        program.chmod(0o755)
        return program

    def says(self, name: str, output: bytes, status: int) -> None:
        """Put `name` there, which says `output` and ends with `status`."""
        text = self._folder / f"{name}.txt"
        text.write_bytes(output)
        self.add(name, f"cat {shlex.quote(str(text))}\nexit {status}")

    @property
    def calls(self) -> list[list[str]]:
        """The command lines so far, without the names of the programs."""
        noted = self._calls.read_text() if self._calls.exists() else ""
        return [call.split(_ARGUMENT)[:-1] for call in noted.split(_CALL)[:-1]]

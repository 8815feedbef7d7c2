"""A line that tells what is going on, on a terminal; nothing where the output goes to a file or a worker process."""

from __future__ import annotations

import contextlib
import time
from types import TracebackType
from typing import Any

import pytest

REDRAW_SECONDS = 0.1
BAR = 24


class ProgressLine:
    """Draws over its own line; leaves no trace when it ends."""

    def __init__(self, config: pytest.Config) -> None:
        self._terminal: Any = config.pluginmanager.get_plugin("terminalreporter")
        capture: Any = config.pluginmanager.get_plugin("capturemanager")
        self._uncaptured = capture.global_and_fixture_disabled if capture else contextlib.nullcontext
        self._visible = bool(self._terminal and self._terminal.isatty and not hasattr(config, "workerinput"))
        self._drawn_at = 0.0
        self._width = 0

    def __enter__(self) -> ProgressLine:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _value: BaseException | None, _tb: TracebackType | None
    ) -> None:
        if self._width:
            self._write("\r" + " " * self._width + "\r")

    def say(self, text: str) -> None:
        """Show `text` until the next call."""
        if self._visible:
            with self._uncaptured():  # or the width would be that of the file captured to
                line = text[: self._terminal._tw.fullwidth - 1]
            self._write("\r" + line.ljust(self._width))
            self._width = len(line)

    def stream(self, what: str, done: int, total: int) -> None:
        """Show how many of `total` have been done; `what` begins with what they are."""
        now = time.monotonic()
        if now - self._drawn_at >= REDRAW_SECONDS:
            self._drawn_at = now
            filled = BAR * done // max(total, 1)
            self.say(f"  [{'#' * filled}{'.' * (BAR - filled)}] {done:,} of {total:,} {what}")

    def _write(self, text: str) -> None:
        with self._uncaptured():
            self._terminal._tw.write(text, flush=True)

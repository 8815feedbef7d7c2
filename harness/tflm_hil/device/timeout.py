"""Deadlines on a clock that never jumps."""

import time
from collections.abc import Callable

Clock = Callable[[], float]
"""Returns seconds since an arbitrary moment and never goes back. Tests pass a clock that they control."""


class Deadline:
    """A moment `seconds` from now. Every wait has one; there is no infinite wait."""

    def __init__(self, seconds: float, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._seconds = seconds
        self._started = clock()

    @property
    def left(self) -> float:
        """Seconds that remain, never negative."""
        return max(0.0, self._started + self._seconds - self._clock())

    @property
    def expired(self) -> bool:
        """Whether no time remains."""
        return self.left <= 0.0

    @property
    def passed(self) -> float:
        """Seconds since the start or the last `restart`."""
        return self._clock() - self._started

    def restart(self, seconds: float | None = None) -> None:
        """Start again from now, with `seconds` or, by default, as many as before."""
        self._started = self._clock()
        if seconds is not None:
            self._seconds = seconds

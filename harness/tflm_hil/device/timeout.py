"""Deadlines on a clock that never jumps."""

import time
from collections.abc import Callable

Clock = Callable[[], float]
"""Seconds from an arbitrary origin, never going back. Tests pass one that they move themselves."""


class Deadline:
    """A moment `seconds` from now. There is no infinite wait."""

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
        """Seconds since it began."""
        return self._clock() - self._started

    def restart(self, seconds: float | None = None) -> None:
        """Begin again with so many seconds, or as many as before."""
        self._started = self._clock()
        if seconds is not None:
            self._seconds = seconds

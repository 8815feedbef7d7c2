"""Deadlines on a clock that never jumps."""

import time
from collections.abc import Callable

Clock = Callable[[], float]
"""Seconds from an arbitrary origin, never going back. Tests pass one that they move themselves."""


class Deadline:
    """A moment `seconds` from now; `None` as `seconds` is not accepted: nothing here waits for ever."""

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

    def restart(self) -> None:
        """Begin again with the full number of seconds."""
        self._started = self._clock()

"""The timeout of a request, from measured round trips as in TCP.

RFC 6298, *Computing TCP's Retransmission Timer* (2011): smoothed round trip and deviation, exponential back-off, and
Karn's rule (the caller must not measure requests that were sent twice).
"""

_ALPHA = 1 / 8
_BETA = 1 / 4
_K = 4

FLOOR_S = 0.25
"""The shortest timeout: an emulator may wait this long for the processor, and a USB bridge for the bus."""


class RoundTrip:
    """The round trip of one line. `initial`, in seconds, is the first timeout and the longest one."""

    def __init__(self, initial: float) -> None:
        self._ceiling = initial
        self._smoothed: float | None = None
        self._deviation = 0.0
        self._backed_off = 1

    @property
    def smoothed(self) -> float:
        """Seconds that an answer takes; the longest timeout until something has been measured."""
        return self._ceiling if self._smoothed is None else self._smoothed

    @property
    def timeout(self) -> float:
        """Seconds without an answer after which a request counts as lost."""
        if self._smoothed is None:
            return self._ceiling
        measured = self._smoothed + _K * self._deviation
        return min(self._ceiling, max(FLOOR_S, measured) * self._backed_off)

    def measured(self, seconds: float) -> None:
        """Take the seconds from a request, sent only once, to its answer."""
        if self._smoothed is None:
            self._smoothed, self._deviation = seconds, seconds / 2
        else:
            self._deviation += _BETA * (abs(self._smoothed - seconds) - self._deviation)
            self._smoothed += _ALPHA * (seconds - self._smoothed)

    def expired(self) -> None:
        """Double the timeout, because one has expired."""
        self._backed_off *= 2

    def answered(self) -> None:
        """End the doubling, because an answer has arrived."""
        self._backed_off = 1

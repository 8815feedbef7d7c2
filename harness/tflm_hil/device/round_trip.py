"""How long an answer may take: measured, as TCP does it.

RFC 6298, *Computing TCP's Retransmission Timer* (2011): the smoothed round trip and its deviation, Karn's rule (the
caller measures no request that was sent twice), and exponential back-off.
"""

_ALPHA = 1 / 8
_BETA = 1 / 4
_K = 4

FLOOR_S = 0.25
"""No time-out is shorter: an emulator may be kept from the processor, and a USB bridge from the bus, for so long."""


class RoundTrip:
    """The estimate of one line. `initial` seconds are the time-out before the first measurement, and its ceiling."""

    def __init__(self, initial: float) -> None:
        self._ceiling = initial
        self._smoothed: float | None = None
        self._deviation = 0.0
        self._backed_off = 1

    @property
    def smoothed(self) -> float:
        """Seconds that an answer takes; the ceiling while nothing has been measured."""
        return self._ceiling if self._smoothed is None else self._smoothed

    @property
    def timeout(self) -> float:
        """Seconds without an answer after which a request counts as lost."""
        if self._smoothed is None:
            return self._ceiling
        measured = self._smoothed + _K * self._deviation
        return min(self._ceiling, max(FLOOR_S, measured) * self._backed_off)

    def measured(self, seconds: float) -> None:
        """Take the time from a request, sent once, to its answer."""
        if self._smoothed is None:
            self._smoothed, self._deviation = seconds, seconds / 2
        else:
            self._deviation += _BETA * (abs(self._smoothed - seconds) - self._deviation)
            self._smoothed += _ALPHA * (seconds - self._smoothed)

    def expired(self) -> None:
        """Double the time-out, as one has just passed in vain."""
        self._backed_off *= 2

    def answered(self) -> None:
        """Forget the doubling: the other side is there."""
        self._backed_off = 1

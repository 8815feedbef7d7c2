"""Whether a stream of answers comes to an end in a time that its size explains."""

from tflm_hil.device.link import Link

BYTES_PER_S = 11_520
"""What the slowest line of all targets carries, 115,200 baud."""

FACTOR = 10
"""So many times longer may it take: lines with faults, hubs that are shared, a host that is busy."""

GRACE_S = 30.0
"""For what has no size: a debugger, a board that was stopped for a moment."""


class Pace:
    """A limit for the time that the host spends waiting, from now on, as generous as the data that has moved.

    It does not run while the host does something else, or is stopped.
    """

    def __init__(self, link: Link) -> None:
        self._link = link
        self._waited_before = link.waited
        self._sent_before = link.stats.bytes_sent
        self._answers = 0
        self._answered_bytes = 0
        self._worked = 0.0

    def answered(self, size: int, worked: float) -> None:
        """Count an answer of `size` bytes for which the device says it has worked so many seconds."""
        self._answers += 1
        self._answered_bytes += size
        self._worked += worked

    def check(self) -> None:
        """Raise DeviceError where the device takes longer than anything explains."""
        waited = self._link.waited - self._waited_before
        size = self._link.stats.bytes_sent - self._sent_before + self._answered_bytes
        expected = size / BYTES_PER_S + self._worked
        if waited > GRACE_S + FACTOR * expected:
            self._link.fail(
                f"{self._link.name} is too slow: {waited:.0f} s for {self._answers} answers and {size:,} bytes, which"
                f" explain {expected:.1f} s, counting {self._worked:.1f} s that it says it worked:"
                " it hangs now and then, or the line does"
            )

"""Stop a stream of answers that takes far longer than its size explains."""

from tflm_hil.device.link import Link

BYTES_PER_S = 11_520
"""The rate of the slowest line of all targets, 115,200 baud."""

FACTOR = 10
"""How many times longer it may take: lines have faults, hubs are shared, hosts are busy."""

GRACE_S = 30.0
"""Time allowed for delays that do not depend on size, such as a debugger that stops the board for a moment."""


class Pace:
    """A limit, from now on, of the time that the host waits. It grows with the data that is transferred.

    Time in which the host does something else or is stopped does not count.
    """

    def __init__(self, link: Link) -> None:
        self._link = link
        self._waited_before = link.waited
        self._sent_before = link.stats.bytes_sent
        self._answers = 0
        self._answered_bytes = 0
        self._worked = 0.0

    def answered(self, size: int, worked: float) -> None:
        """Count an answer of `size` bytes for which the device reports `worked` seconds of work."""
        self._answers += 1
        self._answered_bytes += size
        self._worked += worked

    def check(self) -> None:
        """Raise DeviceError if the host has waited longer than allowed."""
        waited = self._link.waited - self._waited_before
        size = self._link.stats.bytes_sent - self._sent_before + self._answered_bytes
        expected = size / BYTES_PER_S + self._worked
        if waited > GRACE_S + FACTOR * expected:
            self._link.fail(
                f"{self._link.name} is too slow: {waited:.0f} s for {self._answers} answers and {size:,} bytes; the"
                f" size and {self._worked:.1f} s of reported work explain only {expected:.1f} s:"
                " the device or the line hangs now and then"
            )

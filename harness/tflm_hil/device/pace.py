"""Stop a stream of answers that takes far longer than its size explains."""

from tflm_hil.device.link import Link

BYTES_PER_S = 11_520
"""The rate of the slowest line of all targets, 115,200 baud."""

FACTOR = 10
"""How many times longer it may take: lines have faults, hubs are shared, hosts are busy."""

GRACE_S = 30.0
"""The least time allowed for delays that do not depend on size, such as a hub that is reset."""


class Pace:
    """A limit, from now on, of the time that the host waits. It grows with the data that is transferred.

    It is at least `patience`, in seconds. Time in which the host does something else or is stopped does not count.
    """

    def __init__(self, link: Link, patience: float = 0.0) -> None:
        self._link = link
        self._grace = max(GRACE_S, patience)
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
        if waited > self._grace + FACTOR * expected:
            self._link.fail(
                f"{self._link.name} is too slow: {waited:.0f} s for {self._answers} answers and {size:,} bytes; the"
                f" size and {self._worked:.1f} s of reported work explain only {expected:.1f} s:"
                " the device or the line hangs now and then"
            )

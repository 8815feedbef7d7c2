"""A connection over rings in the memory of a device. Whatever reaches that memory while the core runs carries it."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tflm_hil.device.connection import WRITE_TIMEOUT_S, Connection
from tflm_hil.device.rtt import CorruptError, Memory, Place, Rings
from tflm_hil.device.timeout import Deadline
from tflm_hil.errors import LineError

_LONGEST_PAUSE_S = 0.002
_PAUSE_GROWTH = 1.2


class RttConnection:
    """A stream over rings in `memory`; see Connection. Create it while the device is halted at its reset.

    `bell` is the UART over which the device is woken, which is closed with the connection. `why` is called after an
    error and returns what is known about its cause.
    """

    def __init__(
        self,
        memory: Memory,
        place: Place,
        name: str,
        bell: Connection | None = None,
        why: Callable[[], str] = lambda: "",
    ) -> None:
        self._memory = memory
        self._rings = Rings(memory, place, bell is not None)
        self._name = name
        self._bell = bell
        self._why = why
        self._arrived = b""
        self._to_announce = False
        with self._errors():
            self._rings.forget()

    def read(self, timeout: float) -> bytes:
        """See Connection."""
        deadline, pauses = Deadline(timeout), _pauses(self._memory)
        while not (data := self._take()) and not deadline.expired:
            self._announce()
            time.sleep(min(next(pauses), deadline.left))
        return data

    def write(self, data: bytes) -> None:
        """See Connection. Keeps what arrives meanwhile: a device that cannot send may not receive either."""
        deadline, pauses = Deadline(WRITE_TIMEOUT_S), _pauses(self._memory)
        while True:
            count = self._put(data)
            data = data[count:]
            if not data:
                return
            if count:
                deadline.restart()
            elif deadline.expired:
                raise self._gone(self._why_full())
            self._announce()
            self._arrived = self._take()
            time.sleep(next(pauses))

    def close(self) -> None:
        """See Connection."""
        self._memory.close()
        if self._bell is not None:
            self._bell.close()

    def _take(self) -> bytes:
        data, self._arrived = self._arrived, b""
        with self._access() as there:
            return data + self._rings.take() if there else data

    def _put(self, data: bytes) -> int:
        with self._access() as there:
            count = self._rings.put(data) if there else 0
        self._to_announce |= count > 0
        return count

    def _why_full(self) -> str:
        with self._access() as there:
            if there:
                return f"the device took no bytes for {WRITE_TIMEOUT_S:g} s"
        return (
            f"{WRITE_TIMEOUT_S:g} s after its start there is no RTT control block in its memory: the firmware has none,"
            " and needs --hil-link=uart, or it does not get as far"
        )

    def _announce(self) -> None:
        if self._bell is not None and self._to_announce:
            self._bell.write(b"\0")
            self._bell.read(0.0)  # Nobody wants to know what comes over the UART.
        self._to_announce = False

    @contextmanager
    def _access(self) -> Iterator[bool]:
        """Access to the rings, and whether they are there; the device runs on afterwards."""
        with self._errors():
            yield self._rings.find()
            self._memory.resume()

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except CorruptError as error:
            raise self._gone(f"{error}: the firmware has overwritten it, or it never was one") from None
        except OSError as error:
            raise self._gone(f"its memory cannot be reached: {error.strerror or error}") from None

    def _gone(self, what: str) -> LineError:
        why = self._why()
        return LineError(f"{self._name}: the RTT link broke: {what}" + (f" ({why})" if why else ""))


def _pauses(memory: Memory) -> Iterator[float]:
    """How long to wait between two looks: short ones at first, as most answers come soon."""
    pause = memory.shortest_pause_s
    while True:
        yield pause
        pause = max(memory.shortest_pause_s, min(_PAUSE_GROWTH * pause, _LONGEST_PAUSE_S))

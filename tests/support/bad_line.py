"""What real lines and boards do to a session: pace, delay, damaged bytes, and events in the middle of it."""

from __future__ import annotations

import collections
import math
import random
import re
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Event:
    """Something that happens when the host has sent `at` bytes, and again whenever it has sent `every` more."""

    action: str
    argument: float
    at: int
    every: int = 0

    @classmethod
    def parse(cls, text: str) -> Event:
        """Read `ACTION[=NUMBER]@BYTES[/BYTES]`."""
        found = re.fullmatch(r"([a-z]+)(?:=([\d.]+))?@(\d+)(?:/(\d+))?", text)
        if found is None:
            raise ValueError(f"{text}: expected ACTION[=NUMBER]@BYTES[/BYTES]")
        return cls(found[1], float(found[2] or 0), int(found[3]), int(found[4] or 0))


class Events:
    """Events in the order in which they are due."""

    def __init__(self, events: list[Event]) -> None:
        self._events = events
        self._sent = 0

    def due(self, sent: int) -> list[Event]:
        """Return what happens while the host sends `sent` more bytes."""
        self._sent += sent
        due = [event for event in self._events if event.at <= self._sent]
        self._events = [event for event in self._events if event not in due]
        self._events += [replace(event, at=self._sent + event.every) for event in due if event.every]
        return due


class Damage:
    """Flips, loses, doubles or inserts a byte with the probability `rate`; the same seed does the same."""

    def __init__(self, rate: float, seed: int) -> None:
        self._rate = rate
        self._dice = random.Random(seed)
        self._good = self._gap()

    def __call__(self, data: bytes) -> bytes:
        """Return what arrives of `data`."""
        damaged, start = b"", 0
        while len(data) - start > self._good:
            at = start + self._good
            damaged += data[start:at] + self._instead_of(data[at])
            start, self._good = at + 1, self._gap()
        self._good -= len(data) - start
        return damaged + data[start:]

    def _gap(self) -> int:
        """The number of bytes until the next damaged one, which has a geometric distribution."""
        return int(math.log(1 - self._dice.random()) / math.log(1 - self._rate)) if self._rate else 1 << 62

    def _instead_of(self, byte: int) -> bytes:
        flipped, other = byte ^ 1 << self._dice.randrange(8), self._dice.randrange(256)
        return self._dice.choice((bytes([flipped]), b"", bytes([byte, byte]), bytes([byte, other])))


class Pace:
    """One direction of a line that carries `rate` bytes/s, 0 for any number, and delivers them `delay` seconds later.

    Like a USB bridge it delivers in pieces: of what it has carried in a time slice.
    """

    SLICE_S = 0.001

    def __init__(self, rate: float, delay: float) -> None:
        self.carried = 0
        self._rate = rate
        self._delay = delay
        self._free = 0.0
        self._on_the_way: collections.deque[tuple[float, bytes]] = collections.deque()

    def put(self, data: bytes, now: float) -> None:
        """Let `data` begin its way at the time `now`."""
        self.carried += len(data)
        piece = max(1, int(self._rate * self.SLICE_S)) if self._rate else len(data)
        for at in range(0, len(data), piece or 1):
            part = data[at : at + piece]
            self._free = max(self._free, now) + (len(part) / self._rate if self._rate else 0.0)
            self._on_the_way.append((self._free + self._delay, part))

    def take(self, now: float) -> bytes:
        """Return what has arrived."""
        arrived = b""
        while self._on_the_way and self._on_the_way[0][0] <= now:
            arrived += self._on_the_way.popleft()[1]
        return arrived

    def next(self) -> float | None:
        """Return when something arrives next."""
        return self._on_the_way[0][0] if self._on_the_way else None

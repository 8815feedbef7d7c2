"""The static memory plan: place activations in the arena, and reuse the memory of tensors that are no longer needed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

ALIGNMENT = 4
# How often the search may move the highest buffer to the front of the order and place all buffers again, and how many
# pairs of buffers it may compare in total.
ATTEMPTS = 24
EFFORT = 2_000_000


@dataclass(frozen=True)
class Buffer:
    """`bytes` of memory that are in use from step `first` to step `last`, inclusive."""

    name: int
    bytes: int
    first: int
    last: int

    def meets(self, other: Buffer) -> bool:
        """Return whether both are in use at the same step."""
        return self.first <= other.last and other.first <= self.last


# For pairs (low, high): the buffers may overlap if `low` begins at least so many bytes before `high`. Then each byte of
# `high` has been read before it is overwritten through `low`.
Lags = Mapping[tuple[int, int], int]


@dataclass(frozen=True)
class Plan:
    """The offset of each buffer by its name, and the size of the arena."""

    offsets: dict[int, int]
    bytes: int


def make_plan(buffers: Sequence[Buffer], lags: Lags | None = None) -> Plan:
    """Place `buffers` so that buffers in use at the same step do not overlap, in an arena as small as a search finds.

    Pairs in `lags` may overlap if the first begins at least so many bytes before the second.

    Round sizes up to ALIGNMENT. The search places buffers alternately at both ends of the arena in order of time, which
    is optimal for a chain, where only neighbours meet. It also places each buffer as low as it fits: largest first, or
    in order of time from either end; then it improves these orders. The result depends only on the arguments.
    """
    aligned = [Buffer(b.name, _aligned(b.bytes), b.first, b.last) for b in buffers]
    placing = _Placing(aligned, lags or {})
    by_time = sorted(aligned, key=lambda b: (b.first, b.last, b.name))
    best = placing.from_both_ends(by_time, lower_bound(aligned))
    for order in (sorted(aligned, key=lambda b: (-b.bytes, b.first, b.name)), by_time, by_time[::-1]):
        for _ in range(placing.attempts):
            offsets = placing.lowest_fit(order)
            if placing.size(offsets) < placing.size(best):
                best = offsets
            highest = max(order, key=lambda b: offsets[b.name] + b.bytes, default=None)
            order = [b for b in order if b is highest] + [b for b in order if b is not highest]
    return Plan(best, placing.size(best))


def lower_bound(buffers: Iterable[Buffer]) -> int:
    """Return the largest sum of bytes that are in use at one step."""
    changes: dict[int, int] = {}
    for buffer in buffers:
        changes[buffer.first] = changes.get(buffer.first, 0) + buffer.bytes
        changes[buffer.last + 1] = changes.get(buffer.last + 1, 0) - buffer.bytes
    used = peak = 0
    for step in sorted(changes):
        used += changes[step]
        peak = max(peak, used)
    return peak


def _aligned(size: int) -> int:
    return size + -size % ALIGNMENT


class _Placing:
    """Place buffers one after the other, in different ways."""

    def __init__(self, buffers: Sequence[Buffer], lags: Lags) -> None:
        self._buffers = buffers
        sizes = {b.name: b.bytes for b in buffers}
        self._meeting = _meeting(buffers)
        pairs = sum(map(len, self._meeting.values()))
        self.attempts = max(1, min(ATTEMPTS, EFFORT // max(pairs, 1)))
        self._lags = {(low, high): max(min(_aligned(lag), sizes[low]), ALIGNMENT) for (low, high), lag in lags.items()}

    def size(self, offsets: Mapping[int, int]) -> int:
        return max((offsets[b.name] + b.bytes for b in self._buffers), default=0)

    def lowest_fit(self, order: Sequence[Buffer]) -> dict[int, int]:
        offsets: dict[int, int] = {}
        for buffer in order:
            offsets[buffer.name] = _lowest(buffer, self._gaps(buffer, offsets))
        return offsets

    def from_both_ends(self, order: Sequence[Buffer], capacity: int) -> dict[int, int]:
        """Place buffers alternately as low and as high as possible below `capacity`, or above it if they do not fit."""
        offsets: dict[int, int] = {}
        for number, buffer in enumerate(order):
            gaps = self._gaps(buffer, offsets)
            below = [(start, capacity if end is None else min(end, capacity)) for start, end in gaps]
            fitting = [end - buffer.bytes for start, end in below if end - start >= buffer.bytes]
            offsets[buffer.name] = fitting[-1] if number % 2 and fitting else _lowest(buffer, gaps)
        return offsets

    def _gaps(self, buffer: Buffer, offsets: Mapping[int, int]) -> list[tuple[int, int | None]]:
        """The free ranges (start, end) between the placed buffers that `buffer` meets; the last range has no end."""
        met = self._meeting[buffer.name]
        taken = sorted(self._taken(buffer, b, offsets[b.name]) for b in met if b.name in offsets)
        gaps: list[tuple[int, int | None]] = []
        start = 0
        for low, high in taken:
            if low > start:
                gaps.append((start, low))
            start = max(start, high)
        return [*gaps, (start, None)]

    def _taken(self, buffer: Buffer, other: Buffer, offset: int) -> tuple[int, int]:
        """The range of `other`, placed at `offset`, that `buffer` must not use."""
        start, end = offset, offset + other.bytes
        if (buffer.name, other.name) in self._lags:
            start += buffer.bytes - self._lags[buffer.name, other.name]
        elif (other.name, buffer.name) in self._lags:
            end = start + self._lags[other.name, buffer.name]
        return start, end


def _meeting(buffers: Sequence[Buffer]) -> dict[int, list[Buffer]]:
    """The other buffers that each buffer meets, by its name."""
    meeting: dict[int, list[Buffer]] = {b.name: [] for b in buffers}
    alive: list[Buffer] = []
    for buffer in sorted(buffers, key=lambda b: b.first):
        alive = [b for b in alive if b.meets(buffer)]
        for other in alive:
            meeting[other.name].append(buffer)
            meeting[buffer.name].append(other)
        alive.append(buffer)
    return meeting


def _lowest(buffer: Buffer, gaps: Sequence[tuple[int, int | None]]) -> int:
    return next(start for start, end in gaps if end is None or end - start >= buffer.bytes)

"""The static memory plan: where in the arena each activation lies, such that dead tensors make room for new ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

ALIGNMENT = 4
# How often the search may move the buffer that sticks out to the front and place everything anew.
ATTEMPTS = 32


@dataclass(frozen=True)
class Buffer:
    """`bytes` of memory that are in use from step `first` to step `last`, both included."""

    name: int
    bytes: int
    first: int
    last: int

    def meets(self, other: Buffer) -> bool:
        """Whether both are in use at some step."""
        return self.first <= other.last and other.first <= self.last


@dataclass(frozen=True)
class Plan:
    """Offsets by buffer name, and the size of the arena. No plan can be smaller than `lower_bound`."""

    offsets: dict[int, int]
    bytes: int
    lower_bound: int


def make_plan(buffers: Sequence[Buffer]) -> Plan:
    """Place `buffers` so that no two which meet overlap, in an arena as small as a short search finds.

    Sizes are rounded up to ALIGNMENT. Tried in turn until one reaches the lower bound: buffers from both ends of the
    arena in order of time (always optimal for a chain, where only neighbours meet); largest first, each as low as it
    fits; and repairs of that order. The result depends on `buffers` alone.
    """
    aligned = [Buffer(b.name, b.bytes + -b.bytes % ALIGNMENT, b.first, b.last) for b in buffers]
    bound = lower_bound(aligned)
    best = _from_both_ends(sorted(aligned, key=lambda b: (b.first, b.last, b.name)), bound)
    order = sorted(aligned, key=lambda b: (-b.bytes, b.first, b.name))
    for _ in range(ATTEMPTS):
        if _size(aligned, best) == bound:
            break
        offsets = _lowest_fit(order)
        if _size(aligned, offsets) < _size(aligned, best):
            best = offsets
        highest = max(order, key=lambda b: offsets[b.name] + b.bytes)
        order = [highest] + [b for b in order if b is not highest]
    return Plan(best, _size(aligned, best), bound)


def lower_bound(buffers: Iterable[Buffer]) -> int:
    """The most bytes that are in use at one step."""
    changes: dict[int, int] = {}
    for buffer in buffers:
        changes[buffer.first] = changes.get(buffer.first, 0) + buffer.bytes
        changes[buffer.last + 1] = changes.get(buffer.last + 1, 0) - buffer.bytes
    used = peak = 0
    for step in sorted(changes):
        used += changes[step]
        peak = max(peak, used)
    return peak


def _size(buffers: Iterable[Buffer], offsets: dict[int, int]) -> int:
    return max((offsets[b.name] + b.bytes for b in buffers), default=0)


def _gaps(buffer: Buffer, placed: Sequence[Buffer], offsets: dict[int, int]) -> list[tuple[int, int | None]]:
    """The free ranges (start, end) beside what `buffer` meets; the last one is open."""
    taken = sorted((offsets[b.name], offsets[b.name] + b.bytes) for b in placed if b.meets(buffer))
    gaps: list[tuple[int, int | None]] = []
    start = 0
    for low, high in taken:
        if low > start:
            gaps.append((start, low))
        start = max(start, high)
    return [*gaps, (start, None)]


def _lowest(buffer: Buffer, gaps: Sequence[tuple[int, int | None]]) -> int:
    return next(start for start, end in gaps if end is None or end - start >= buffer.bytes)


def _lowest_fit(order: Sequence[Buffer]) -> dict[int, int]:
    offsets: dict[int, int] = {}
    for number, buffer in enumerate(order):
        offsets[buffer.name] = _lowest(buffer, _gaps(buffer, order[:number], offsets))
    return offsets


def _from_both_ends(order: Sequence[Buffer], capacity: int) -> dict[int, int]:
    """Alternately as low and as high below `capacity` as it fits; above `capacity` where it fits nowhere."""
    offsets: dict[int, int] = {}
    for number, buffer in enumerate(order):
        gaps = _gaps(buffer, order[:number], offsets)
        below = [(start, capacity if end is None else min(end, capacity)) for start, end in gaps]
        fitting = [end - buffer.bytes for start, end in below if end - start >= buffer.bytes]
        offsets[buffer.name] = fitting[-1] if number % 2 and fitting else _lowest(buffer, gaps)
    return offsets

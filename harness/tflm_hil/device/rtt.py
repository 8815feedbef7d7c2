"""Rings of bytes in the memory of a device, in the layout of SEGGER's RTT: see docs/protocol.md."""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

ID = b"SEGGER RTT".ljust(16, b"\0")

FLAG_WAKES = 1 << 8
"""In the flags of the ring to the device: the host wakes the core when it has written, so the core may sleep."""

_COUNTS = struct.Struct("<II")
_RING = struct.Struct("<IIIIII")
_OFFSETS = struct.Struct("<II")
_WORD = struct.Struct("<I")
_WRITE, _READ, _FLAGS = 12, 16, 20
"""Where in a ring's description its offsets and its flags are."""

_MOST_RINGS = 32


class Memory(Protocol):
    """The memory of a device that runs."""

    shortest_pause_s: float
    """How long to wait at least before looking again, so that looking does not keep the device from working."""

    def read(self, address: int, size: int) -> bytes:
        """Return `size` bytes. Raises OSError."""

    def write(self, address: int, data: bytes) -> None:
        """Raises OSError."""

    def resume(self) -> None:
        """Let the device run on, where the accesses since the last call have stopped it. Raises OSError."""

    def close(self) -> None:
        """Release it; closing twice is harmless."""


@dataclass(frozen=True)
class Place:
    """Where the control block of an image is: at `address`, or anywhere in `ram` if that is None.

    If `speaks` is set, this protocol is what the rings carry, and the device knows FLAG_WAKES.
    """

    address: int | None
    ram: Sequence[range]
    speaks: bool

    def has(self, address: int, size: int) -> bool:
        """Whether all of these addresses are RAM."""
        return any(address in part and address + size <= part.stop for part in self.ram)


class CorruptError(Exception):
    """What is in the memory is no control block, whatever it calls itself."""


@dataclass(frozen=True)
class _Ring:
    description: int
    buffer: int
    size: int


class Rings:
    """The first ring in each direction. The device publishes them some time after its reset.

    `wakes` says that somebody wakes the device when something was put into them.
    """

    def __init__(self, memory: Memory, place: Place, wakes: bool = False) -> None:
        self._memory = memory
        self._place = place
        self._flags = FLAG_WAKES if wakes and place.speaks else 0
        self._up: _Ring | None = None
        self._down: _Ring | None = None

    def forget(self) -> None:
        """Make a control block that an earlier run has left in the memory of a halted device look like none."""
        for address in self._addresses():
            if self._memory.read(address, len(ID)) == ID:
                self._memory.write(address, bytes(len(ID)))
        self._up = self._down = None

    def find(self) -> bool:
        """Return whether they are there; look for them if that is not known. Raises CorruptError for what is none."""
        if self._up is not None:
            return True
        for address in self._addresses():
            if self._memory.read(address, len(ID)) == ID:
                self._attach(address)
                return True
        return False

    def take(self) -> bytes:
        """Return all that the device has written."""
        assert self._up is not None
        ring, (write, read) = self._up, self._offsets(self._up)
        if write == read:
            return b""
        if write > read:
            data = self._memory.read(ring.buffer + read, write - read)
        else:
            data = self._memory.read(ring.buffer + read, ring.size - read) + self._memory.read(ring.buffer, write)
        self._memory.write(ring.description + _READ, _WORD.pack(write))
        return data

    def put(self, data: bytes) -> int:
        """Write as many of these bytes as there is room for, and return how many."""
        assert self._down is not None
        ring, (write, read) = self._down, self._offsets(self._down)
        if self._flags:  # each time, as a reset of the device forgets it
            self._memory.write(ring.description + _FLAGS, _WORD.pack(self._flags))
        count = min(len(data), (read - write - 1) % ring.size)
        if count:
            first = min(count, ring.size - write)
            self._memory.write(ring.buffer + write, data[:first])
            self._memory.write(ring.buffer, data[first:count])
            self._memory.write(ring.description + _WRITE, _WORD.pack((write + count) % ring.size))
        return count

    def _addresses(self) -> Iterator[int]:
        if self._place.address is not None:
            yield self._place.address
            return
        for part in self._place.ram:
            content, at = self._memory.read(part.start, len(part)), -1
            while (at := content.find(ID, at + 1)) >= 0:
                yield part.start + at

    def _attach(self, address: int) -> None:
        up_count, down_count = _COUNTS.unpack(self._memory.read(address + len(ID), _COUNTS.size))
        if not (1 <= up_count <= _MOST_RINGS and 1 <= down_count <= _MOST_RINGS):
            raise CorruptError(f"the control block at 0x{address:08x} has {up_count} rings up and {down_count} down")
        first = address + len(ID) + _COUNTS.size
        self._down = self._ring(first + up_count * _RING.size, "down")
        self._up = self._ring(first, "up")

    def _ring(self, description: int, name: str) -> _Ring:
        if not self._place.has(description, _RING.size):
            raise CorruptError(f"the description of its ring {name} is not in RAM: 0x{description:08x}")
        _, buffer, size, *_ = _RING.unpack(self._memory.read(description, _RING.size))
        if size < 2 or not self._place.has(buffer, size):
            raise CorruptError(f"its ring {name} is not in RAM: {size} bytes at 0x{buffer:08x}")
        ring = _Ring(description, buffer, size)
        self._offsets(ring)
        return ring

    def _offsets(self, ring: _Ring) -> tuple[int, int]:
        write, read = _OFFSETS.unpack(self._memory.read(ring.description + _WRITE, _OFFSETS.size))
        if write >= ring.size or read >= ring.size:
            raise CorruptError(f"an offset of the ring at 0x{ring.buffer:08x} is beyond its {ring.size} bytes")
        return write, read

"""A device with rings in its memory, as the firmware keeps them (firmware/lib/rtt)."""

from __future__ import annotations

import struct
from collections.abc import Callable

from tflm_hil.device.rtt import ID, Place

ORIGIN = 0x2000_0000
RAM_BYTES = 4096
RAM = range(ORIGIN, ORIGIN + RAM_BYTES)
BLOCK, UP, DOWN = 0x20, 0x100, 0x800
HEADER_BYTES, RING_BYTES = 24, 24
PLACE = Place(ORIGIN + BLOCK, [RAM], speaks=True)
ANYWHERE = Place(None, [RAM], speaks=False)


class RttDevice:
    """Memory, and what the device does with it: `work` takes what has arrived and returns what is to be sent.

    It works whenever the host resumes it.
    """

    shortest_pause_s = 1e-6

    def __init__(self, work: Callable[[bytes], bytes], up_size: int = 64, down_size: int = 64) -> None:
        self.ram = bytearray(RAM_BYTES)
        self.closed = False
        self.error: OSError | None = None
        self._work = work
        self._sizes = up_size, down_size
        self._unsent = b""

    def publish(self) -> None:
        """Do what the firmware does at its start."""
        up_size, down_size = self._sizes
        struct.pack_into("<II", self.ram, BLOCK + len(ID), 1, 1)
        struct.pack_into("<6I", self.ram, BLOCK + HEADER_BYTES, 0, ORIGIN + UP, up_size, 0, 0, 0)
        struct.pack_into("<6I", self.ram, BLOCK + HEADER_BYTES + RING_BYTES, 0, ORIGIN + DOWN, down_size, 0, 0, 0)
        self.ram[BLOCK : BLOCK + len(ID)] = ID

    def flags(self) -> int:
        """Those of the ring from the host."""
        return int(struct.unpack_from("<I", self.ram, BLOCK + HEADER_BYTES + RING_BYTES + 20)[0])

    def read(self, address: int, size: int) -> bytes:
        self._check(address, size)
        return bytes(self.ram[address - ORIGIN : address - ORIGIN + size])

    def write(self, address: int, data: bytes) -> None:
        self._check(address, len(data))
        self.ram[address - ORIGIN : address - ORIGIN + len(data)] = data

    def resume(self) -> None:
        if self.ram[BLOCK : BLOCK + len(ID)] != ID:
            return
        self._unsent += self._work(self._get())
        self._put()

    def close(self) -> None:
        self.closed = True

    def _check(self, address: int, size: int) -> None:
        if self.error is not None:
            raise self.error
        assert address >= ORIGIN, "only RAM is asked for"
        assert address + size <= ORIGIN + RAM_BYTES, "only RAM is asked for"

    def _get(self) -> bytes:
        at = BLOCK + HEADER_BYTES + RING_BYTES
        _, buffer, size, write, read, _ = struct.unpack_from("<6I", self.ram, at)
        data = bytearray()
        while read != write:
            data.append(self.ram[buffer - ORIGIN + read])
            read = (read + 1) % size
        struct.pack_into("<I", self.ram, at + 16, read)
        return bytes(data)

    def _put(self) -> None:
        at = BLOCK + HEADER_BYTES
        _, buffer, size, write, read, _ = struct.unpack_from("<6I", self.ram, at)
        while self._unsent and (write + 1) % size != read:
            self.ram[buffer - ORIGIN + write] = self._unsent[0]
            self._unsent = self._unsent[1:]
            write = (write + 1) % size
        struct.pack_into("<I", self.ram, at + 12, write)

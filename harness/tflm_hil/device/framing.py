"""Frames on the wire, as docs/protocol.md defines them: COBS(type seq body crc) 0x00."""

import struct
from typing import NamedTuple

from cobs import cobs  # type: ignore[import-untyped]
from fastcrc import crc16

MAX_BODY = 249
"""The most bytes of a body. The packet then has at most 254 bytes, the longest run that COBS encodes as one block."""

_HEADER = struct.Struct("<BH")
_CRC = struct.Struct("<H")
_OVERHEAD = _HEADER.size + _CRC.size


class Frame(NamedTuple):
    """A frame that arrived intact."""

    type: int
    seq: int
    body: bytes


class Corrupt(NamedTuple):
    """Bytes between two delimiters that are no frame; `data` holds them, up to the length of the longest frame."""

    reason: str
    data: bytes


def encode(type_: int, seq: int, body: bytes = b"") -> bytes:
    """Return the wire form of one frame, delimiter included. `type_` is 0..255, `seq` 0..65535."""
    packet = _HEADER.pack(type_, seq) + body
    return bytes(cobs.encode(packet + _CRC.pack(crc16.ibm_3740(packet)))) + b"\0"


def wire_size(body_bytes: int) -> int:
    """Return the most bytes that a frame with a body of `body_bytes` takes on the wire, delimiter included."""
    return int(cobs.max_encoded_length(_OVERHEAD + body_bytes)) + 1


class Decoder:
    """Splits a byte stream that arrives in pieces into frames. It never holds more than one frame."""

    def __init__(self, max_body: int = MAX_BODY) -> None:
        self._limit = wire_size(max_body) - 1
        self._partial = bytearray()
        self._too_long = False

    def feed(self, data: bytes) -> list[Frame | Corrupt]:
        """Take the next bytes of the stream and return the frames that they complete, in order."""
        *ends, rest = data.split(b"\0")
        found = []
        for end in ends:
            self._append(end)
            if self._partial:
                found.append(self._decode(bytes(self._partial)))
            self._partial.clear()
            self._too_long = False
        self._append(rest)
        return found

    def _append(self, data: bytes) -> None:
        room = self._limit - len(self._partial)
        self._too_long |= len(data) > room
        self._partial += data[:room]

    def _decode(self, wire: bytes) -> Frame | Corrupt:
        if self._too_long:
            return Corrupt("longer than a frame", wire)
        try:
            packet = cobs.decode(wire)
        except cobs.DecodeError:
            return Corrupt("bad COBS", wire)
        if len(packet) < _OVERHEAD:
            return Corrupt("shorter than a frame", wire)
        if crc16.ibm_3740(packet[: -_CRC.size]) != _CRC.unpack_from(packet, len(packet) - _CRC.size)[0]:
            return Corrupt("wrong CRC", wire)
        type_, seq = _HEADER.unpack_from(packet)
        return Frame(type_, seq, packet[_HEADER.size : -_CRC.size])

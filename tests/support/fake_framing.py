"""Framing, written from docs/protocol.md alone, to check tflm_hil.device against that page."""

from __future__ import annotations

import binascii
import struct


def crc16(data: bytes) -> int:
    """CRC-16/IBM-3740: polynomial 0x1021, initial value 0xFFFF, not reflected."""
    return binascii.crc_hqx(data, 0xFFFF)


def cobs_encode(data: bytes) -> bytes:
    """COBS of Cheshire and Baker: a code byte is the distance to the next zero; 255 means no zero in 254 bytes."""
    out, block = bytearray(), bytearray()
    for i, byte in enumerate(data):
        if byte:
            block.append(byte)
        if not byte or (len(block) == 254 and i + 1 < len(data)):
            out += bytes([len(block) + 1]) + block
            block.clear()
    return bytes(out + bytes([len(block) + 1]) + block)


def cobs_decode(data: bytes) -> bytes:
    """The inverse of `cobs_encode`. Raises ValueError if a code byte points beyond the end."""
    out, at = bytearray(), 0
    while at < len(data):
        code = data[at]
        if code == 0 or at + code > len(data):
            raise ValueError("bad COBS")
        out += data[at + 1 : at + code]
        at += code
        if code < 255 and at < len(data):
            out.append(0)
    return bytes(out)


def frame(type_: int, seq: int, body: bytes = b"") -> bytes:
    """The bytes of a frame on the wire, with its delimiter."""
    packet = struct.pack("<BH", type_, seq & 0xFFFF) + body
    return cobs_encode(packet + struct.pack("<H", crc16(packet))) + b"\0"

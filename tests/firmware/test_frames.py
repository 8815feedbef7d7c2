"""The firmware's COBS, CRC and frames against the `cobs` and `fastcrc` packages."""

from __future__ import annotations

import ctypes
import struct
from pathlib import Path

import pytest
from cobs import cobs  # type: ignore[import-untyped]
from fastcrc import crc16
from hypothesis import given
from hypothesis import strategies as st
from support.firmware_helpers import compile_for_host

MAX_BODY = 249
INCOMPLETE, COMPLETE, CORRUPT = range(3)

# Zeros are what COBS is about, and runs without one reach its longest block.
bodies = st.one_of(
    st.binary(max_size=MAX_BODY),
    st.lists(st.sampled_from([0, 1, 255]), max_size=MAX_BODY).map(bytes),
    st.integers(0, MAX_BODY).map(lambda length: b"\x55" * length),
)


class Decoder(ctypes.Structure):
    _fields_ = (
        ("packet", ctypes.POINTER(ctypes.c_uint8)),
        ("capacity", ctypes.c_uint16),
        ("length", ctypes.c_uint16),
        ("block", ctypes.c_uint8),
        ("block_left", ctypes.c_uint8),
        ("overflow", ctypes.c_bool),
    )


class Codec:
    def __init__(self, library: Path) -> None:
        self.library = ctypes.CDLL(str(library))
        self._packet = (ctypes.c_uint8 * 254)()
        self._decoder = Decoder(packet=self._packet, capacity=len(self._packet))

    def encode(self, kind: int, seq: int, body: bytes) -> bytes:
        buffer = ctypes.create_string_buffer(b"\xee" * 4 + body, len(body) + 7)
        length = self.library.hil_frame_encode(buffer, kind, seq, len(body))
        return buffer.raw[:length]

    def decode(self, stream: bytes) -> list[tuple[int, int, bytes] | None]:
        """The frames in `stream`; None for one that is corrupt."""
        found: list[tuple[int, int, bytes] | None] = []
        length = ctypes.c_uint16()
        self.library.hil_frame_body.restype = ctypes.POINTER(ctypes.c_uint8)
        for byte in stream:
            event = self.library.hil_frame_decode(ctypes.byref(self._decoder), byte)
            if event == COMPLETE:
                decoder = ctypes.byref(self._decoder)
                body = self.library.hil_frame_body(decoder, ctypes.byref(length))
                kind, seq = self.library.hil_frame_type(decoder) & 0xFF, self.library.hil_frame_seq(decoder) & 0xFFFF
                found.append((kind, seq, bytes(body[: length.value])))
            elif event == CORRUPT:
                found.append(None)
        return found


@pytest.fixture(scope="module")
def codec(tmp_path_factory: pytest.TempPathFactory) -> Codec:
    return Codec(compile_for_host(tmp_path_factory.mktemp("frames"), "firmware.so", "-shared", "-fPIC"))


def packet(kind: int, seq: int, body: bytes) -> bytes:
    content = struct.pack("<BH", kind, seq) + body
    return content + struct.pack("<H", crc16.ibm_3740(content))


def test_the_crc_has_the_check_value_of_the_protocol(codec: Codec) -> None:
    assert codec.library.hil_crc16(0xFFFF, b"123456789", 9) == 0x29B1


@given(data=st.binary(max_size=300), cut=st.integers(0, 300))
def test_the_crc_is_that_of_fastcrc_also_in_two_parts(codec: Codec, data: bytes, cut: int) -> None:
    first, second = data[:cut], data[cut:]
    crc = codec.library.hil_crc16(codec.library.hil_crc16(0xFFFF, first, len(first)), second, len(second))
    assert crc == crc16.ibm_3740(data)


@given(kind=st.integers(0, 255), seq=st.integers(0, 65535), body=bodies)
def test_an_encoded_frame_is_what_the_cobs_package_makes_of_the_packet(
    codec: Codec, kind: int, seq: int, body: bytes
) -> None:
    assert codec.encode(kind, seq, body) == cobs.encode(packet(kind, seq, body)) + b"\0"


@given(frames=st.lists(st.tuples(st.integers(0, 255), st.integers(0, 65535), bodies), max_size=5))
def test_frames_in_a_row_are_decoded(codec: Codec, frames: list[tuple[int, int, bytes]]) -> None:
    stream = b"".join(cobs.encode(packet(*frame)) + b"\0" for frame in frames)
    assert codec.decode(b"\0" + stream) == frames


@given(garbage=st.binary(max_size=700))
def test_garbage_is_decoded_as_by_the_cobs_package(codec: Codec, garbage: bytes) -> None:
    expected: list[tuple[int, int, bytes] | None] = []
    for wire in (garbage + b"\0").split(b"\0"):
        if not wire:
            continue
        try:
            content = cobs.decode(wire)
        except cobs.DecodeError:
            content = b""
        if 5 <= len(content) <= 254 and struct.unpack("<H", content[-2:])[0] == crc16.ibm_3740(content[:-2]):
            kind, seq = struct.unpack_from("<BH", content)
            expected.append((kind, seq, content[3:-2]))
        else:
            expected.append(None)
    assert codec.decode(garbage + b"\0") == expected


@pytest.mark.parametrize("length", [255, 256, 300, 600])
def test_a_packet_that_is_too_long_is_corrupt_though_its_crc_is_right(codec: Codec, length: int) -> None:
    body = bytes(range(1, 250)) + b"\x07" * (length - 254)
    assert codec.decode(cobs.encode(packet(3, 1, body)) + b"\0") == [None]
    longest = packet(3, 1, body[:MAX_BODY])
    assert codec.decode(cobs.encode(longest + b"\x07" * (length - 254)) + b"\0") == [None], (
        "nor one that is too long by its end"
    )
    assert codec.decode(cobs.encode(longest) + b"\0") == [(3, 1, body[:MAX_BODY])]


def test_a_block_that_ends_early_is_corrupt_though_the_crc_is_right(codec: Codec) -> None:
    wire = bytearray(cobs.encode(packet(3, 0x0101, b"\x07" * 20)))
    assert wire[0] == len(wire), "a packet without zeros, so one block"
    wire[0] += 1
    assert codec.decode(bytes(wire) + b"\0") == [None]


def test_an_empty_block_after_the_longest_one_adds_nothing(codec: Codec) -> None:
    body = next(
        body
        for body in (b"\x07" * (MAX_BODY - 1) + bytes([last]) for last in range(1, 256))
        if 0 not in packet(3, 0x0101, body)
    )
    whole = packet(3, 0x0101, body)
    assert codec.decode(b"\xff" + whole + b"\x01\0") == [(3, 0x0101, body)] == codec.decode(b"\xff" + whole + b"\0")

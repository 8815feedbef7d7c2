"""Frames: the codecs against their definitions, and a decoder that garbage cannot confuse."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from support import fake_framing
from tflm_hil.device.framing import MAX_BODY, Corrupt, Decoder, Frame, encode, wire_size

frames = st.builds(Frame, st.integers(0, 255), st.integers(0, 65535), st.binary(max_size=MAX_BODY))


def crc_by_definition(data: bytes) -> int:
    """Long division in GF(2), bit by bit."""
    register = 0xFFFF
    for byte in data:
        for bit in range(7, -1, -1):
            feedback = register >> 15 ^ byte >> bit & 1
            register = register << 1 & 0xFFFF ^ (0x1021 if feedback else 0)
    return register


def test_the_definition_yields_the_published_check_value() -> None:
    assert crc_by_definition(b"123456789") == 0x29B1


@given(frames)
def test_frames_on_the_wire_are_what_the_protocol_defines(frame: Frame) -> None:
    packet = bytes([frame.type]) + frame.seq.to_bytes(2, "little") + frame.body
    packet += crc_by_definition(packet).to_bytes(2, "little")
    assert encode(*frame) == fake_framing.cobs_encode(packet) + b"\0"
    assert len(encode(*frame)) <= wire_size(len(frame.body))


def test_a_frame_of_the_default_size_takes_256_bytes() -> None:
    assert wire_size(MAX_BODY) == 256
    assert len(encode(255, 0xFFFF, b"\xff" * MAX_BODY)) == 256


@given(st.lists(frames, max_size=5), st.data())
def test_frames_arrive_however_the_stream_is_cut(sent: list[Frame], data: st.DataObject) -> None:
    stream = b"\0".join([encode(*frame) for frame in sent])
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=10)))
    decoder, received = Decoder(), []
    for start, stop in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        received += decoder.feed(stream[start:stop])
    assert received == sent


@given(st.lists(st.binary(max_size=700), max_size=5), frames)
def test_garbage_is_bounded_reported_and_ends_with_the_next_delimiter(garbage: list[bytes], frame: Frame) -> None:
    decoder = Decoder()
    for piece in garbage:
        for item in decoder.feed(piece):
            assert len(item.data if isinstance(item, Corrupt) else item.body) < 256
    assert decoder.feed(b"\0" + encode(*frame))[-1] == frame


@given(frames, st.data())
def test_no_single_flipped_bit_passes_for_a_frame(frame: Frame, data: st.DataObject) -> None:
    wire = bytearray(encode(*frame)[:-1])
    bit = data.draw(st.integers(0, 8 * len(wire) - 1))
    at, mask = bit // 8, 1 << bit % 8
    # A CRC catches every flipped bit of data. A flipped length byte moves other bytes; 1 in 65536 of these is missed.
    code = 0
    while code < at:
        code += wire[code]
    wire[at] ^= mask
    items = Decoder().feed(bytes(wire) + b"\0")
    if code != at:
        assert all(isinstance(item, Corrupt) for item in items)
    assert frame not in items


def test_a_decoder_says_what_is_wrong() -> None:
    good = encode(3, 7, b"body")
    reasons = {
        b"\x05ab\0": "bad COBS",
        b"\x04abc\0": "shorter than a frame",
        good[:-2] + bytes([good[-2] ^ 1]) + b"\0": "wrong CRC",
        b"x" * 256 + b"\0": "longer than a frame",
    }
    for wire, reason in reasons.items():
        (item,) = Decoder().feed(wire)
        assert isinstance(item, Corrupt)
        assert item.reason == reason

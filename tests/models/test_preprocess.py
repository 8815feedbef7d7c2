"""Preprocessing follows its definition to the last bit."""

import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tflm_hil.models.preprocess import Quantization, prepare
from tflm_hil.recordings import Channel

CHANNELS = [Channel("aX", "g", 8192.0, -4.0, 4.0), Channel("gX", "dps", 16.4, -2000.0, 2000.0)]
counts = st.integers(-32768, 32767)


def binary32(value: float) -> float:
    rounded: float = struct.unpack("f", struct.pack("f", value))[0]
    return rounded


def normalized(count: int, channel: Channel) -> float:
    """Python's floats have so many bits that rounding their results gives the same as binary32 arithmetic."""
    return binary32(binary32(count * channel.gain) + channel.offset)


@given(rows=st.lists(st.tuples(counts, counts), min_size=1, max_size=8))
def test_float32_input(rows: list[tuple[int, int]]) -> None:
    prepared = prepare(np.array([rows], dtype=np.int16), CHANNELS, Quantization(np.dtype(np.float32)))
    assert prepared.dtype == np.float32
    assert prepared[0].tolist() == [[normalized(*pair) for pair in zip(row, CHANNELS, strict=True)] for row in rows]


@given(
    rows=st.lists(st.tuples(counts, counts), min_size=1, max_size=8),
    dtype=st.sampled_from([np.int8, np.uint8, np.int16]),
    scale=st.floats(2**-13, 0.125, width=32),
    zero_point=st.integers(-128, 127),
)
def test_quantized_input(rows: list[tuple[int, int]], dtype: type[Any], scale: float, zero_point: int) -> None:
    prepared = prepare(np.array([rows], dtype=np.int16), CHANNELS, Quantization(np.dtype(dtype), scale, zero_point))
    limits = np.iinfo(dtype)
    assert prepared.dtype == dtype
    for row, result in zip(rows, prepared[0].tolist(), strict=True):
        for count, channel, value in zip(row, CHANNELS, result, strict=True):
            # Python's round() rounds halves to even.
            stored = round(binary32(normalized(count, channel) / scale)) + zero_point
            assert value == min(max(stored, limits.min), limits.max)


@pytest.mark.parametrize(("count", "stored"), [(-1, 0), (1, 0), (3, 2), (5, 2), (32767, 127), (-32768, -128)])
def test_halves_go_to_even_and_the_rest_is_clipped(count: int, stored: int) -> None:
    channel = Channel("aX", "raw", 1.0, 0.0, 1.0)
    raw = np.array([[[count]]], dtype=np.int16)
    assert prepare(raw, [channel], Quantization(np.dtype(np.int8), 2.0)).item() == stored


def test_the_scale_is_divided_by() -> None:
    """Multiplication by 1 / 14 would give -119."""
    channel = Channel("aX", "raw", 1.0, 0.0, 1.0)
    assert (
        prepare(np.array([[[-1659]]], dtype=np.int16), [channel], Quantization(np.dtype(np.int8), 14.0)).item() == -118
    )


def test_channels_first_is_a_transposition_of_each_window() -> None:
    raw = np.arange(12, dtype=np.int16).reshape(1, 6, 2)
    plain = [Channel("a", "raw", normalize="none"), Channel("b", "raw", normalize="none")]
    prepared = prepare(raw, plain, Quantization(np.dtype(np.float32)), "channels-first")
    assert prepared.tobytes() == np.array([[[0, 2, 4, 6, 8, 10], [1, 3, 5, 7, 9, 11]]], np.float32).tobytes()

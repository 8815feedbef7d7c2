"""RESD files: what a sensor senses that is fed with them, computed from the format alone."""

from __future__ import annotations

import math
import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from tflm_hil.recordings import resd
from tflm_hil.recordings.sensors import SENSORS

EVERY_COUNT = np.arange(-(2**15), 2**15, dtype=np.int16)
RATE_HZ = 104.0
PERIOD_NS = 9_615_385


def block(file: bytes) -> tuple[tuple[int, ...], NDArray[np.int32]]:
    """The fields of the only block, and its samples."""
    assert file[:8] == b"RESD\x01\0\0\0"
    kind, sample_type, channel, size = struct.unpack_from("<BHHQ", file, 8)
    assert size == len(file) - 8 - 13
    start, period, metadata = struct.unpack_from("<QQQ", file, 21)
    return (kind, sample_type, channel, start, period, metadata), np.frombuffer(file, "<i4", offset=45).reshape(-1, 3)


def three(counts: NDArray[np.int16]) -> NDArray[np.int16]:
    return np.stack([counts, counts[::-1], np.roll(counts, 1)], axis=1)


def same(sensed: NDArray[Any], counts: NDArray[np.int16]) -> None:
    """Whether rounding gives `counts`, by a margin that no other arithmetic of the sensor's uses up."""
    assert np.abs(sensed - counts).max() < 0.04


@pytest.mark.parametrize("full_scale", [2, 4, 8, 16])
def test_every_count_of_an_accelerometer_is_sensed_again(full_scale: int) -> None:
    fields, micro_g = block(resd.acceleration(three(EVERY_COUNT), 32768 / full_scale, RATE_HZ))
    assert fields == (2, 2, 0, PERIOD_NS // 2, PERIOD_NS, 0)
    same(micro_g / 1e6 * 32768 / full_scale, three(EVERY_COUNT))


@pytest.mark.parametrize("full_scale", [250, 500, 1000, 2000])
def test_every_count_of_a_gyroscope_is_sensed_again(full_scale: int) -> None:
    counts_per_dps = SENSORS["LSM6DSOX"]["dps"][full_scale]
    fields, units = block(resd.angular_rate(three(EVERY_COUNT), counts_per_dps, RATE_HZ))
    assert fields == (2, 3, 0, PERIOD_NS // 2, PERIOD_NS, 0)
    same(np.degrees(units / 1e5) * counts_per_dps, three(EVERY_COUNT))


def test_units_are_micro_g_and_10_microradians_per_second() -> None:
    one = np.array([[1, 0, -1]], np.int16)
    assert block(resd.acceleration(one, 1.0, 1.0))[1].tolist() == [[1_000_000, 0, -1_000_000]]
    radian = round(math.pi / 180 * 1e5)
    assert block(resd.angular_rate(one, 1.0, 1.0))[1].tolist() == [[radian, 0, -radian]]


@given(rate=st.sampled_from([12.5, 26.0, 50.0, 52.0, 104.0, 208.0, 416.0, 833.0, 1660.0]), row=st.integers(0, 1 << 19))
def test_a_sensor_of_the_same_rate_meets_every_row_once(rate: float, row: int) -> None:
    """The format has whole nanoseconds, so at 1660 Hz a row is missed after eight minutes."""
    _, _, _, start, period, _ = block(resd.acceleration(np.zeros((1, 3), np.int16), 8192.0, rate))[0]
    sensed_ns = (row + 1) * 1e9 / rate
    assert (sensed_ns - start) // period == row


def test_no_rows_are_a_file_without_samples() -> None:
    assert len(block(resd.acceleration(np.zeros((0, 3), np.int16), 8192.0, RATE_HZ))[1]) == 0

"""Responses to STEPS requests, put together; what a device may tell and what not."""

from __future__ import annotations

import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fake_device import Image
from tflm_hil.device.device_info import Counter, DeviceInfo, parse_hello
from tflm_hil.device.steps import Steps, StepsCollector
from tflm_hil.errors import DeviceError

from .test_messages import hello_body

INFO: DeviceInfo = parse_hello(hello_body(Image()))
TICKS = st.integers(1, 2**31 - 1)


def response(mark: int, total: int, ticks: list[int]) -> bytes:
    return struct.pack(f"<IH{len(ticks)}I", mark, total, *ticks)


@given(TICKS, st.lists(st.lists(TICKS, min_size=1, max_size=60), max_size=5))
def test_parts_make_the_whole(mark: int, parts: list[list[int]]) -> None:
    assert INFO.counter == Counter.DWT
    ticks = [each for part in parts for each in part]
    collector = StepsCollector(INFO)
    for part in parts or [[]]:
        assert collector.missing
        collector.answer(response(mark, len(ticks), part))
    assert not collector.missing
    assert collector.steps == Steps(mark, ticks)


@given(st.lists(st.binary(max_size=40), max_size=4))
def test_whatever_comes_ends_in_steps_or_in_a_device_error(bodies: list[bytes]) -> None:
    collector = StepsCollector(INFO)
    with contextlib.suppress(DeviceError):
        for body in bodies:
            before = collector.next
            collector.answer(body)
            assert collector.next > before or not collector.missing, "nothing may be asked for forever"


@pytest.mark.parametrize(
    ("responses", "said"),
    [
        ([(5, 3, [7, 8]), (5, 4, [9, 9])], "measured others in between"),
        ([(5, 3, [7, 8]), (6, 3, [9])], "measured others in between"),
        ([(5, 1, [7, 8])], "1 steps, but told the ticks of 2"),
        ([(5, 3, [7]), (5, 3, [])], "3 steps, but told the ticks of 1"),
        ([(0, 1, [7])], "stood still or ran backwards"),
        ([(5, 1, [0])], "stood still or ran backwards"),
        ([(5, 1, [2**31])], "stood still or ran backwards"),
    ],
)
def test_what_cannot_be_is_told(responses: list[tuple[int, int, list[int]]], said: str) -> None:
    collector = StepsCollector(INFO)
    *before, last = (response(*each) for each in responses)
    for body in before:
        collector.answer(body)
    with pytest.raises(DeviceError, match=said):
        collector.answer(last)

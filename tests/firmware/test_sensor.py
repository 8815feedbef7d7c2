"""The driver of the LSM6DSO on a register-level model of it, and SENSE, compiled for the host.

The model knows what the data sheet says. Nothing here has met a real sensor.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.firmware_helpers import STRIDE, WINDOW
from support.sensor_driver import DriverOnHost, Rows, compile_driver
from tflm_hil.device.framing import Decoder, Frame, encode
from tflm_hil.device.messages import Message, parse_error

RESPONSE = 0x80
HELLO = encode(Message.HELLO, 0, b"\x01\xaa\xbb\xcc\xdd")
IDENTITY = 0x6C
RATE, ACCELERATION, TEMPERATURE = 1, 2, 3


class Sensor(DriverOnHost):
    """The driver, and the model of its sensor on its bus."""

    def begin(self, identity: int = IDENTITY, answers: int = -1, stays_in_reset: bool = False) -> None:
        self.library.model_begin(identity, answers, stays_in_reset)

    def lay_up(self, words: Sequence[bytes], burst: int = 2) -> None:
        self.library.model_lay_up(b"".join(words), len(words), burst)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compile_driver(tmp_path_factory.mktemp("sensor"), "lsm6dso", 0x6A, "lsm6dso_model.c")


@pytest.fixture
def sensor(library: Path) -> Sensor:
    sensor = Sensor(library)
    sensor.begin()
    return sensor


def word(kind: int, xyz: Sequence[int], slot: int = 0) -> bytes:
    return bytes([kind << 3 | slot << 1]) + struct.pack("<3h", *xyz)


def samples(count: int, seed: int = 1) -> Rows:
    return np.random.default_rng(seed).integers(-(2**15), 2**15, (count, 6)).astype(np.int16)


def words(rows: Rows, slots: bool = False) -> list[bytes]:
    """The words that the FIFO gets for `rows`: of each first the angular rate."""
    return [
        word(kind, [int(value) for value in row[part]], number % 4 if slots else 0)
        for number, row in enumerate(rows)
        for kind, part in ((RATE, slice(3, 6)), (ACCELERATION, slice(0, 3)))
    ]


def test_the_sensor_is_set_up_whatever_it_was_left_in(sensor: Sensor) -> None:
    assert sensor.start() is None
    registers = {at: sensor.library.model_register(at) for at in (0x08, 0x09, 0x0A, 0x10, 0x11, 0x12)}
    # 104 Hz each, at 4 g and 2000 dps; batched at 104 Hz, continuously. Addresses rise.
    assert registers == {0x08: 0, 0x09: 0x44, 0x0A: 6, 0x10: 0x48, 0x11: 0x4C, 0x12: 4}


@pytest.mark.parametrize("burst", [1, 2, 3, 511, 512])
@pytest.mark.parametrize("slots", [False, True])
def test_rows_are_those_that_were_sensed(sensor: Sensor, burst: int, slots: bool) -> None:
    rows = samples(300)
    assert sensor.start() is None
    sensor.lay_up(words(rows, slots), burst)
    assert np.array_equal(sensor.rows(len(rows)), rows)


@settings(derandomize=True, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(swapped=st.lists(st.booleans(), min_size=8, max_size=8), others=st.lists(st.integers(0, 15), max_size=5))
def test_words_may_come_in_either_order_and_among_others(
    sensor: Sensor, swapped: list[bool], others: list[int]
) -> None:
    rows = samples(8)
    laid_up = words(rows, slots=True)
    for row, swap in enumerate(swapped):
        if swap:
            laid_up[2 * row : 2 * row + 2] = laid_up[2 * row : 2 * row + 2][::-1]
    for at in others:
        laid_up.insert(at, word(TEMPERATURE, (at, 0, 0), at % 4))
    sensor.begin()
    assert sensor.start() is None
    sensor.lay_up(laid_up, 3)
    assert np.array_equal(sensor.rows(len(rows)), rows)


def test_words_without_a_counterpart_are_left_out(sensor: Sensor) -> None:
    """An accelerometer is there at once, a gyroscope starts up."""
    rows = samples(9)
    laid_up = words(rows, slots=True)
    assert sensor.start() is None
    sensor.lay_up([each for each in laid_up[:10] if each[0] >> 3 == ACCELERATION] + laid_up[10:])
    assert np.array_equal(sensor.rows(len(rows) - 5), rows[5:])


def test_two_words_of_different_moments_make_no_row(sensor: Sensor) -> None:
    rows = samples(4)
    laid_up = words(rows, slots=True)
    assert sensor.start() is None
    sensor.lay_up(laid_up[:1] + laid_up[3:])  # the acceleration of row 0 and the angular rate of row 1 are lost
    assert np.array_equal(sensor.rows(len(rows) - 2), rows[2:])


def test_what_was_sensed_before_the_start_is_forgotten(sensor: Sensor) -> None:
    old, new = samples(3, 1), samples(3, 2)
    assert sensor.start() is None
    sensor.lay_up(words(old)[:5], 5)
    sensor.next()  # leaves three words in the FIFO, and holds none
    assert sensor.start() is None
    sensor.lay_up(words(new))
    assert np.array_equal(sensor.rows(len(new)), new)


@pytest.mark.parametrize("fetched", [0, 1])
def test_rows_that_were_lost_are_told(sensor: Sensor, fetched: int) -> None:
    rows = samples(400)
    assert sensor.start() is None
    sensor.lay_up(words(rows[:fetched]))
    for _ in range(fetched):
        sensor.next()
    sensor.lay_up(words(rows), 513)
    assert "FIFO ran over" in str(sensor.next())


def test_another_sensor_is_refused(sensor: Sensor) -> None:
    sensor.begin(identity=0x6B)
    assert sensor.start() == "the sensor is no LSM6DSO"


def test_a_sensor_that_does_not_come_out_of_its_reset_is_given_up(sensor: Sensor) -> None:
    sensor.begin(stays_in_reset=True)
    assert sensor.start() == "the sensor does not come out of its reset"


def test_a_sensor_that_senses_nothing_is_given_up(sensor: Sensor) -> None:
    assert sensor.start() is None
    assert sensor.next() == "the sensor senses nothing"
    assert sensor.library.model_looks() == 10_000


def test_a_bus_without_an_answer_is_told_whenever_it_happens(sensor: Sensor) -> None:
    rows = samples(2)
    for answers in range(60):
        sensor.begin(answers=answers)
        problem = sensor.start()
        sensor.lay_up(words(rows))
        got = [problem] if problem is not None else [sensor.next(), sensor.next()]
        if not isinstance(got[-1], str):
            assert np.array_equal(cast(list[Rows], got), rows)
            assert answers == 8 + 2 * 18
            return
        assert got[-1] == "the sensor does not answer on its bus"
    pytest.fail("60 answers are not enough")


# ---- SENSE ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def server(sensor: Sensor) -> Sensor:
    sensor.feed(b"\0" + HELLO)
    return sensor


def ask(server: Sensor, seq: int, type_: int, body: bytes = b"") -> Frame:
    (frame,) = Decoder().feed(server.feed(encode(type_, seq, body)))
    assert isinstance(frame, Frame)
    assert frame.seq == seq
    return frame


def outputs(frame: Frame) -> tuple[int, list[bytes], bytes]:
    """The first window, what the network answered to each, and the rows, of an answer to SAMPLES or SENSE.

    What it answers ends with a count of all inferences, which is left out.
    """
    first, count = struct.unpack_from("<IB", frame.body)
    end = 5 + 12 * count
    return first, [frame.body[at + 8 : at + 10] for at in range(5, end, 12)], frame.body[end:]


def test_sensed_rows_come_back_with_the_answers_that_they_have_when_streamed(server: Sensor) -> None:
    rows = samples(17)
    server.lay_up(words(rows), 34)
    assert ask(server, 1, Message.BEGIN).body == b""
    sensed = [ask(server, 2 + i, Message.SENSE, bytes([n])) for i, n in enumerate((3, 4, 0, 10))]
    assert {frame.type for frame in sensed} == {Message.SENSE | RESPONSE}
    ask(server, 6, Message.BEGIN)
    at = 0
    streamed: list[Frame] = []
    for n in (3, 4, 0, 10):
        streamed.append(ask(server, 7 + len(streamed), Message.SAMPLES, rows[at : at + n].astype("<i2").tobytes()))
        at += n
    assert [outputs(frame)[:2] for frame in sensed] == [outputs(frame)[:2] for frame in streamed]
    assert sum(len(outputs(frame)[1]) for frame in sensed) == 1 + (17 - WINDOW) // STRIDE
    assert b"".join(outputs(frame)[2] for frame in sensed) == rows.astype("<i2").tobytes()


def test_more_than_a_response_holds_is_refused_whole(server: Sensor) -> None:
    server.lay_up(words(samples(40)), 80)
    ask(server, 1, Message.BEGIN)
    most = next(n for n in range(40, 0, -1) if 5 + 12 * (n >= WINDOW) * (1 + (n - WINDOW) // STRIDE) + 12 * n <= 249)
    assert "more than a response" in parse_error(ask(server, 2, Message.SENSE, bytes([most + 1])).body)
    assert ask(server, 3, Message.SENSE, bytes([most])).type == Message.SENSE | RESPONSE
    assert "length" in parse_error(ask(server, 4, Message.SENSE).body)


def test_a_failure_is_told_until_the_next_recording(server: Sensor) -> None:
    ask(server, 1, Message.BEGIN)
    for seq in (2, 3):
        frame = ask(server, seq, Message.SENSE, b"\1")
        assert parse_error(frame.body) == "failed on the device: the sensor senses nothing"
        server.lay_up(words(samples(3)))
    ask(server, 4, Message.BEGIN)
    assert ask(server, 5, Message.SENSE, b"\1").type == Message.SENSE | RESPONSE


def test_a_sensor_that_nobody_asks_for_is_left_alone(server: Sensor) -> None:
    ask(server, 1, Message.BEGIN)
    ask(server, 2, Message.SAMPLES, samples(WINDOW).astype("<i2").tobytes())
    assert server.library.model_register(0x10) == 0xFF

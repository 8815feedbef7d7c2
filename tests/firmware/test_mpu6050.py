"""The driver of the MPU6050 on a register-level model of it, compiled for the host.

The model knows what the register map says. Nothing here has met a real sensor.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.sensor_driver import DriverOnHost, Rows, compile_driver


class Sensor(DriverOnHost):
    """The driver, and the model of its sensor on its bus."""

    def begin(self, identity: int = 0x68, answers: int = -1, stays_in_reset: bool = False) -> None:
        self.library.model_begin(identity, answers, stays_in_reset)

    def lay_up(self, rows: Rows, burst: int = 1, late: bool = False, halved: bool = False) -> None:
        self.library.model_lay_up(np.ascontiguousarray(rows).ctypes, len(rows), burst, late, halved)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sensor")
    return compile_driver(folder, "mpu6050", 0x68, "mpu6050_bus.c", "mpu6050_model.c")


@pytest.fixture
def sensor(library: Path) -> Sensor:
    sensor = Sensor(library)
    sensor.begin()
    return sensor


def samples(count: int, seed: int = 1) -> Rows:
    rows: Rows = np.random.default_rng(seed).integers(-(2**15), 2**15, (count, 6)).astype(np.int16)
    return rows


def test_the_sensor_is_set_up_whatever_it_was_left_in(sensor: Sensor) -> None:
    assert sensor.start() is None
    registers = {at: sensor.library.model_register(at) for at in (0x19, 0x1A, 0x1B, 0x1C, 0x23, 0x38, 0x6A, 0x6B, 0x6C)}
    # 1 kHz / 20 behind the filter of 21 Hz, 2000 dps, 4 g, all six into the FIFO, whose overflow is told; awake.
    expected = {0x19: 19, 0x1A: 4, 0x1B: 0x18, 0x1C: 0x08, 0x23: 0x78, 0x38: 0x10, 0x6A: 0x40, 0x6B: 1, 0x6C: 0}
    assert registers == expected


@pytest.mark.parametrize(("late", "halved"), [(False, False), (True, False), (False, True)])
@pytest.mark.parametrize("burst", [1, 2, 21, 22, 85])
def test_rows_are_those_that_were_sensed(sensor: Sensor, burst: int, late: bool, halved: bool) -> None:
    rows = samples(300)
    assert sensor.start() is None
    sensor.lay_up(rows, burst, late, halved)
    assert np.array_equal(sensor.rows(len(rows)), rows)
    assert sensor.library.model_milliseconds() == 20 * len(rows)


def test_what_was_sensed_before_the_start_is_forgotten(sensor: Sensor) -> None:
    old, new = samples(5, 1), samples(3, 2)
    assert sensor.start() is None
    sensor.lay_up(old, 5)
    sensor.next()  # leaves four rows in the FIFO
    assert sensor.start() is None
    sensor.lay_up(new)
    assert np.array_equal(sensor.rows(len(new)), new)


@pytest.mark.parametrize("fetched", [0, 1])
def test_rows_that_were_lost_are_told(sensor: Sensor, fetched: int) -> None:
    rows = samples(200)
    assert sensor.start() is None
    sensor.lay_up(rows[:fetched])
    sensor.rows(fetched)
    sensor.lay_up(rows, 86)
    assert "FIFO ran over" in str(sensor.next())


def test_another_sensor_is_refused(sensor: Sensor) -> None:
    sensor.begin(identity=0x70)
    assert sensor.start() == "the sensor is no MPU6050"


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
        sensor.lay_up(rows)
        got = [problem] if problem is not None else [sensor.next(), sensor.next()]
        if not any(isinstance(each, str) for each in got):
            assert np.array_equal(np.array(got), rows)
            assert answers == 12 + 2 * 15
            return
        assert got[-1] == "the sensor does not answer on its bus"
    pytest.fail("60 answers are not enough")

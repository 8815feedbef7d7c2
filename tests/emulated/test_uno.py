"""Our sketch for the Arduino Uno, run in simavr with an MPU6050 on its bus. No real Uno has run it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import pytest
import serial
from support.uno import GESTURE_ROWS, PRETRIGGER_ROWS, STILL, Rows, emulated_uno, session

PATIENCE_S = 30.0
COUNTS = np.array([8192.0] * 3 + [16.4] * 3)


@dataclass
class Port:
    """The serial port of a Uno, line by line."""

    serial: serial.Serial

    def line(self) -> str:
        line: bytes = self.serial.readline()
        assert line.endswith(b"\n"), f"{line!r} within {PATIENCE_S:g} s"
        return line.decode("ascii").removesuffix("\n")

    def until(self, last: str) -> list[str]:
        lines: list[str] = []
        while not lines or not lines[-1].startswith(last):
            lines.append(self.line())
        return lines

    def gesture(self) -> Rows:
        """The next gesture: rows up to an empty line. Nothing else is among them."""
        lines = iter(self.line, "")
        rows = [[float(number) for number in line.split(",")] for line in lines]
        counts: Rows = np.rint(np.array(rows) * COUNTS).astype(np.int16)
        return counts


@contextmanager
def opened(rows: Rows, sensor: str = "0x68", loose_at: int = 0, busy_at: int = 0) -> Iterator[Port]:
    with (
        emulated_uno(rows, sensor, loose_at, busy_at) as name,
        serial.Serial(name, 115_200, timeout=PATIENCE_S) as port,
    ):
        yield Port(port)


def movement(seed: int, rows: int = GESTURE_ROWS + 10) -> Rows:
    """Any counts. The first row moves by just 0.5 g, which is the threshold."""
    made = np.random.default_rng(seed).integers(-(2**15), 2**15, (rows, 6)).astype(np.int16)
    made[0] = STILL + np.array([4096, 0, 0, 0, 0, 0])
    return made


def recorded(made: Rows) -> Rows:
    """What is recorded of a movement after a pause."""
    still = np.tile(STILL, (PRETRIGGER_ROWS, 1))
    return np.concatenate([still, made])[:GESTURE_ROWS]


def test_gestures_come_as_they_were_sensed() -> None:
    extremes = movement(3)
    extremes[1:4] = [[-(2**15)] * 6, [2**15 - 1] * 6, [0, 1, -1, 0, 1, -1]]
    made = [movement(1), movement(2), extremes]
    with opened(session(made)) as port:
        told = dict(line.removeprefix("# ").split(": ") for line in port.until("# ready")[:-1])
        assert told == {
            "sensor": "MPU6050",
            "accelerometer_range_g": "4",
            "gyroscope_range_dps": "2000",
            "rate_hz": "50",
            "rows": "30",
            "calibration": "hold the sensor still",
            "offsets": ",".join(map(str, STILL)),
            "threshold_g": "0.50",
            "pretrigger_rows": "5",
        }
        for each in made:
            assert np.array_equal(port.gesture(), recorded(each))


def test_a_movement_below_the_threshold_is_none() -> None:
    small, enough = movement(1), movement(2)
    small[:] = STILL
    small[0] += np.array([1365, 1365, -1365, 9000, 9000, 9000], np.int16)  # 0.4999 g in all, and any angular rate
    with opened(session([small, enough])) as port:
        port.until("# ready")
        assert np.array_equal(port.gesture(), recorded(enough))


def test_commands_of_the_host_are_obeyed() -> None:
    """With a threshold of 0 every row is recorded: nothing is lost or doubled between gestures."""
    rows = np.tile(STILL, (180, 1))
    rows[:, 5] += np.arange(len(rows), dtype=np.int16)  # a clock, slow enough for calibration
    with opened(rows) as port:
        port.serial.write(b"treshold 1\nthreshold 12.01\npretrigger 21\n\r\nthreshold 0\n")
        wrong = port.until("# threshold_g: 0.00")[-4:-1]
        assert all(line.startswith("# error: no such command; there are: threshold G,") for line in wrong)
        clock = np.concatenate([port.gesture() for _ in range(3)])[:, 5]
        assert np.array_equal(np.diff(clock), np.ones(89)), clock
        port.serial.write(b"pretrigger 12\nthreshold 0.75\n")
        told = [line for line in port.until("# threshold_g: 0.75") if line.startswith("#")]
        assert told == ["# pretrigger_rows: 12", "# threshold_g: 0.75"]


def test_it_is_calibrated_again_until_the_sensor_lies_still() -> None:
    moving = np.tile(STILL, (120, 1))
    moving[40] += np.array([0, 0, 0, 0, 0, 165], np.int16)  # 10.1 dps
    with opened(np.concatenate([moving, session([])])) as port:
        lines = port.until("# ready")
        assert "# calibration: it moved, again" in lines
        assert f"# offsets: {','.join(map(str, STILL))}" in lines


def test_opening_the_port_begins_again() -> None:
    """A Uno is reset by that, its sensor is not."""
    made = movement(1)
    with emulated_uno(session([made])) as name:
        for rows in (0, 9, GESTURE_ROWS):
            with serial.Serial(name, 115_200, timeout=PATIENCE_S) as opened_port:
                port = Port(opened_port)
                port.until("# ready")
                lines = [port.line() for _ in range(rows)]
        assert len(lines) == GESTURE_ROWS


@pytest.mark.parametrize(
    ("sensor", "error"),
    [
        ("absent", "no sensor answers at 0x68: check VCC, GND, SDA (A4) and SCL (A5), and that AD0 is low"),
        ("0x70", "the sensor is no MPU6050: WHO_AM_I is 0x70, not 0x68"),
    ],
)
def test_what_is_wrong_with_the_sensor_is_told_until_it_is_mended(sensor: str, error: str) -> None:
    with opened(session([]), sensor) as port:
        assert [port.line() for _ in range(2)] == [f"# error: {error}"] * 2


def test_a_sensor_that_senses_nothing_is_told() -> None:
    with opened(np.zeros((0, 6), np.int16)) as port:
        assert port.until("# error")[-1] == "# error: the sensor senses nothing"


@pytest.mark.parametrize(
    ("accident", "error"),
    [("loose_at", "no sensor answers at 0x68: check"), ("busy_at", "rows were lost: the sensor's FIFO ran over")],
)
def test_an_accident_in_a_gesture_is_told_and_costs_only_that(accident: str, error: str) -> None:
    cut_off, whole = movement(1), movement(2)
    start = len(session([]))
    rows = np.concatenate([session([cut_off]), session([]), session([whole])])
    with opened(rows, "0x68", **{accident: start + 10}) as port:
        port.until("# ready")
        lines = port.until("# error")
        assert lines[-1].startswith(f"# error: {error}")
        assert 0 < len(lines) - 1 < GESTURE_ROWS
        assert port.line() == "", "a gesture that was cut off ends"
        port.until("# ready")
        assert np.array_equal(port.gesture(), recorded(whole))

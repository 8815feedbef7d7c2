"""The channels of a new model: what the columns of recordings are, and how their sensor scales them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tflm_hil.commands.scaffold.survey import Signal
from tflm_hil.errors import HilError
from tflm_hil.recordings.channel import Channel
from tflm_hil.recordings.manifest import MANIFEST, Sensor
from tflm_hil.recordings.units import RAW, conversion

PAPER = Sensor("MPU6050", accelerometer_range_g=4, gyroscope_range_dps=2000)
"""The sensor of the paper, which is meant if nobody names another."""

# Columns as sketches and recorders call them: aX, acc_x, accelX, gX, gyro_z.
_ACCELERATION = re.compile(r"a(cc(el(eration|erometer)?)?)?[ _.]?[xyz]", re.IGNORECASE)
_ROTATION = re.compile(r"(g|gyr(o|oscope)?|rot(ation)?)[ _.]?[xyz]", re.IGNORECASE)


@dataclass(frozen=True)
class SensorWishes:
    """What the user says of the sensor; None for what the recordings or the paper say."""

    name: str | None = None
    accelerometer_range_g: float | None = None
    gyroscope_range_dps: float | None = None


def channels(folder: Path, signals: Sequence[Signal], said: Sensor | None, wishes: SensorWishes) -> list[Channel]:
    """Return a channel for each column in `signals` of the recordings in `folder`, scaled so that its range is 0 to 1.

    `said` is the sensor that the recordings name.

    Raises HilError if a column is neither acceleration nor rotation, or if the sensor has no such range.
    """
    sensor = said or PAPER
    name = wishes.name or sensor.name
    ranges = {
        "g": wishes.accelerometer_range_g or sensor.accelerometer_range_g,
        "dps": wishes.gyroscope_range_dps or sensor.gyroscope_range_dps,
    }
    made = []
    for signal in signals:
        unit = _unit(signal)
        if unit is None:
            raise HilError(
                f"{folder}: nobody knows what column {signal.name!r} measures; call columns aX, aY, aZ (g) and gX, gY, "
                f"gZ (dps), give their units in [columns] of {MANIFEST}, or write model.toml with [[channels]] first"
            )
        limit = float(ranges[unit])
        try:
            made.append(Channel(signal.name, unit, minimum=-limit, maximum=limit, sensor=name, range=limit))
        except ValueError as error:
            raise HilError(f"{folder}: column {signal.name}: {error}") from error
    return made


def _unit(signal: Signal) -> str | None:
    """The unit that a channel of this column has: g or dps; None if it is something else."""
    if signal.unit and signal.unit != RAW:
        for unit in ("g", "dps"):
            try:
                conversion(signal.unit, unit)
            except ValueError:
                continue
            return unit
        return None
    if _ACCELERATION.fullmatch(signal.name):
        return "g"
    return "dps" if _ROTATION.fullmatch(signal.name) else None

"""The sensors that our firmware has drivers for (firmware/lib/sensor), set up as these do it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SensorModel:
    """A sensor of acceleration and angular rate: three channels each, in counts, in this order.

    `name` is its name in recordings/sensors.py, and the ranges are what it is set to. `in_renode` is the model of it
    that Renode has, if it has one.
    """

    name: str
    accelerometer_range_g: float
    gyroscope_range_dps: float
    rate_hz: float
    counts_per_g: float
    counts_per_dps: float
    in_renode: str | None = None

    @property
    def channels(self) -> int:
        """The values in a row."""
        return 6


MODELS = {
    # Renode divides 4 g into 32,768 counts, the data sheet (DS12140) rounds that to 0.122 mg each.
    "lsm6dso": SensorModel("LSM6DSO", 4, 2000, 104.0, 32768 / 4, 1000 / 70, "Sensors.LSM6DSO_IMU"),
    "mpu6050": SensorModel("MPU6050", 4, 2000, 50.0, 8192, 16.4),
}

"""The sensors that our firmware has drivers for (firmware/lib/sensor), set up as these do it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SensorModel:
    """A sensor of acceleration and angular rate: three channels each, in counts, in this order.

    `in_renode` is the model of it that Renode has.
    """

    rate_hz: float
    counts_per_g: float
    counts_per_dps: float
    in_renode: str

    @property
    def channels(self) -> int:
        """The values in a row."""
        return 6


MODELS = {
    # At 4 g and 2000 dps. Renode divides 4 g into 32,768 counts, the data sheet (DS12140) rounds that to 0.122 mg each.
    "lsm6dso": SensorModel(104.0, 32768 / 4, 1000 / 70, "Sensors.LSM6DSO_IMU"),
}

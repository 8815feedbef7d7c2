"""How a sensor is set up, and what that makes of its values: counts, decimals, the rail."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tflm_hil.errors import HilError
from tflm_hil.recordings.manifest import Sensor
from tflm_hil.recordings.sensors import counts_per_unit

CHANNELS = ("aX", "aY", "aZ", "gX", "gY", "gZ")
"""The columns of a row: three accelerations in g, three angular rates in dps."""

Values = NDArray[np.float64]
"""Rows in g and dps, [rows, 6] in the order of CHANNELS."""

_LEAST, _MOST = np.iinfo(np.int16).min, np.iinfo(np.int16).max
_CLIPPED_SHARE = 0.01
_MOST_HZ = 100_000


@dataclass(frozen=True)
class Setup:
    """A sensor, its ranges and its rate; `offsets` as in recordings.toml, empty if there was no calibration.

    Raises HilError for a sensor or a range that recordings/sensors.py does not have, and for a rate that is none.
    """

    sensor: str
    accelerometer_range_g: float
    gyroscope_range_dps: float
    rate_hz: float
    offsets: tuple[float, ...] = ()
    offsets_removed: bool = False

    def __post_init__(self) -> None:
        self.scale  # noqa: B018  It raises for what is unknown.
        if not 0 < self.rate_hz <= _MOST_HZ:
            raise HilError(f"a rate of {self.rate_hz:g} Hz: choose one above 0 and up to {_MOST_HZ:,}")

    @property
    def scale(self) -> NDArray[np.float64]:
        """Counts per unit of each channel."""
        try:
            g = counts_per_unit(self.sensor, self.accelerometer_range_g, "g")
            dps = counts_per_unit(self.sensor, self.gyroscope_range_dps, "dps")
        except ValueError as error:
            raise HilError(f"sensor {self.sensor}: {error}") from None
        return np.array([g] * 3 + [dps] * 3)

    @property
    def ranges(self) -> NDArray[np.float64]:
        """The range of each channel, in its unit."""
        return np.array([self.accelerometer_range_g] * 3 + [self.gyroscope_range_dps] * 3)

    @property
    def decimals(self) -> list[int]:
        """The fewest decimals of each channel from which a count comes back when they are read and rounded."""
        # Half a step of the last decimal must be less than half a count.
        return [math.floor(math.log10(per_unit)) + 1 for per_unit in self.scale]

    @property
    def table(self) -> Sensor:
        """What recordings.toml says of it, without the time."""
        return Sensor(
            self.sensor,
            self.accelerometer_range_g,
            self.gyroscope_range_dps,
            list(self.offsets),
            self.offsets_removed,
        )

    def values(self, counts: NDArray[np.int16]) -> Values:
        """Return `counts` [rows, 6] in g and dps."""
        return counts / self.scale

    def clipped(self, values: Values) -> str:
        """Say which channels are clipped if more than 1 % of the rows are at the rail; else return ""."""
        # Offsets that were removed moved the rail; they are rounded, so one count is allowed for.
        moved = self.offsets_removed and bool(self.offsets)
        counts = np.rint(values * self.scale) + (np.array(self.offsets) if moved else 0.0)
        at_rail = (counts >= _MOST - moved) | (counts <= _LEAST + moved)
        if at_rail.any(axis=1).mean() <= _CLIPPED_SHARE:
            return ""
        names = [name for name, column in zip(CHANNELS, at_rail.T, strict=True) if column.any()]
        rows = int(at_rail.any(axis=1).sum())
        verb = "is" if len(names) == 1 else "are"
        return (
            f"{', '.join(names)} {verb} at the end of the range in {rows} of {len(values)} rows;"
            " move less hard, or set a wider range"
        )

"""One channel of the sensor: its unit, its raw counts and the range that the network's input is scaled from."""

import math
from typing import Annotated

import msgspec
import numpy as np

from harness.recordings.units import RAW, check_unit


class Channel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A channel in the model's order.

    A sample is an int16 `count`; `count / lsb_per_unit` is the value in `unit`. The network sees
    (value - minimum) / (maximum - minimum), so `minimum`..`maximum` becomes 0..1; values outside are not clipped.
    """

    name: Annotated[str, msgspec.Meta(min_length=1)]
    unit: str
    lsb_per_unit: float
    minimum: float
    maximum: float

    def __post_init__(self) -> None:
        check_unit(self.unit)
        if not (math.isfinite(self.lsb_per_unit) and self.lsb_per_unit > 0):
            raise ValueError("lsb_per_unit must be a number above 0")
        if self.unit == RAW and self.lsb_per_unit != 1:
            raise ValueError("lsb_per_unit of a channel in raw counts must be 1")
        if not (math.isfinite(self.minimum) and math.isfinite(self.maximum) and self.minimum < self.maximum):
            raise ValueError("minimum must be below maximum, both finite")

    @property
    def gain(self) -> float:
        """Factor from counts to the normalised value: worked out in float64 and rounded once to float32."""
        return float(np.float32(1.0 / (self.lsb_per_unit * (self.maximum - self.minimum))))

    @property
    def offset(self) -> float:
        """What is added after `gain`: worked out in float64 and rounded once to float32."""
        return float(np.float32(-self.minimum / (self.maximum - self.minimum)))

"""One channel of the sensor: its unit, its raw counts, and how these become the input of the network."""

import math
from typing import Annotated, Literal

import msgspec
import numpy as np

from tflm_hil.recordings.sensors import counts_per_unit
from tflm_hil.recordings.units import RAW, check_unit

PRECISION = 1e-3
"""The largest relative difference of two equal sensitivities: data sheets give three digits or more."""


class Channel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """[[channels]] of a model's manifest.

    A sample is an int16 `count`; `count / lsb_per_unit` is the value in `unit`. `lsb_per_unit` is given, or it follows
    from the data sheet of the `sensor` at its `range` (in g or dps); for raw counts it is 1.

    The network sees one of
        (value - minimum) / (maximum - minimum)     `minimum`..`maximum` becomes 0..1; values outside are not clipped
        (value - mean) / std                        z-scores
        value                                       `normalize = "none"`
        count                                       `normalize = "counts"`, whatever the unit
    """

    name: Annotated[str, msgspec.Meta(min_length=1)]
    unit: str
    lsb_per_unit: float = 0.0
    minimum: float | None = None
    maximum: float | None = None
    mean: float | None = None
    std: float | None = None
    normalize: Literal["none", "counts"] | None = None
    sensor: str | None = None
    range: float | None = None

    def __post_init__(self) -> None:
        check_unit(self.unit)
        self._complete_scale()
        self._check_normalization()

    def _complete_scale(self) -> None:
        given, expected = self.lsb_per_unit, self.lsb_per_unit
        if (self.sensor is None) != (self.range is None):
            raise ValueError('sensor and range go together, e.g. sensor = "MPU6050", range = 4')
        if self.unit == RAW:
            if given not in (0.0, 1.0) or self.sensor is not None:
                raise ValueError("a channel in raw counts has lsb_per_unit 1 and no sensor; leave out both")
            expected = 1.0
        elif self.sensor is not None and self.range is not None:
            expected = counts_per_unit(self.sensor, self.range, self.unit)
            if given and not math.isclose(given, expected, rel_tol=PRECISION):
                raise ValueError(
                    f"lsb_per_unit is {given:g}, but {self.sensor} at {self.range:g} has {expected:g} counts per "
                    f"{self.unit}; leave out one of them"
                )
        if not (math.isfinite(expected) and expected > 0):
            raise ValueError("lsb_per_unit must be a number above 0; or give sensor and range instead")
        msgspec.structs.force_setattr(self, "lsb_per_unit", expected)  # All other code reads only this.

    def _check_normalization(self) -> None:
        given = {
            key: getattr(self, key)
            for key in ("minimum", "maximum", "mean", "std", "normalize")
            if getattr(self, key) is not None
        }
        if set(given) not in ({"minimum", "maximum"}, {"mean", "std"}, {"normalize"}):
            raise ValueError(
                f"normalization is {' and '.join(given) or 'missing'}; give minimum and maximum, or mean and std, "
                'or normalize = "none" or "counts"'
            )
        if "minimum" in given and not (
            math.isfinite(given["minimum"]) and math.isfinite(given["maximum"]) and given["minimum"] < given["maximum"]
        ):
            raise ValueError("minimum must be below maximum, both finite")
        if "std" in given and not (math.isfinite(given["mean"]) and math.isfinite(given["std"]) and given["std"] > 0):
            raise ValueError("mean must be finite, and std finite and above 0")
        with np.errstate(over="ignore"):
            fits = math.isfinite(self.gain) and self.gain > 0 and math.isfinite(self.offset)
        if not fits:
            raise ValueError("the range is too narrow or too wide for float32, in which the device computes")

    @property
    def gain(self) -> float:
        """The factor from counts to values that the network sees, computed in float64 and rounded once to float32."""
        _, span = self._zero_and_span
        return float(np.float32(1.0 if self.normalize == "counts" else 1.0 / (self.lsb_per_unit * span)))

    @property
    def offset(self) -> float:
        """The summand after the multiplication by `gain`, computed in float64 and rounded once to float32."""
        zero, span = self._zero_and_span
        return float(np.float32(-zero / span))

    @property
    def _zero_and_span(self) -> tuple[float, float]:
        """The value in `unit` that becomes 0, and the difference in `unit` that becomes 1."""
        if self.minimum is not None and self.maximum is not None:
            return self.minimum, self.maximum - self.minimum
        if self.mean is not None and self.std is not None:
            return self.mean, self.std
        return 0.0, 1.0

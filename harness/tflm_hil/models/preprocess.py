"""From the sensor's counts to the network's input tensor: the definition that the firmware repeats.

Every step is an IEEE 754 binary32 operation, rounded on its own (no fused multiply-add):

    x = float32(count) * gain + offset
    q = clip(rint(x / scale) + zero_point)        rint rounds halves to even; float32 inputs take x as it is
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tflm_hil.recordings.channel import Channel

Layout = Literal["channels-last", "channels-first"]
"""What lies together in the network's input: the channels of a row, or the rows of a channel."""


@dataclass(frozen=True)
class Quantization:
    """How a tensor holds real numbers: real = (stored - zero_point) * scale; float32 tensors leave both at 0."""

    dtype: np.dtype[Any]
    scale: float = 0.0
    zero_point: int = 0

    def quantize(self, values: NDArray[np.float32]) -> NDArray[Any]:
        """Real `values` as `dtype`, rounded half to even and clipped to its range; any shape."""
        if self.dtype == np.float32:
            return values
        limits = np.iinfo(self.dtype)
        steps = np.rint(values / np.float32(self.scale)).astype(np.float64) + self.zero_point
        stored: NDArray[Any] = np.clip(steps, limits.min, limits.max).astype(self.dtype)
        return stored

    def real(self, stored: NDArray[Any]) -> NDArray[np.float64]:
        """The inverse: what `stored` values stand for, of the same shape."""
        wide = stored.astype(np.float64)
        return wide if self.scale == 0 else (wide - self.zero_point) * self.scale


def normalize(raw: NDArray[np.int16], channels: Sequence[Channel]) -> NDArray[np.float32]:
    """Counts [..., channels] as float32 of the same shape, as each channel says (see `Channel`)."""
    gain = np.array([channel.gain for channel in channels], dtype=np.float32)
    offset = np.array([channel.offset for channel in channels], dtype=np.float32)
    return raw.astype(np.float32) * gain + offset


def prepare(
    raw: NDArray[np.int16],
    channels: Sequence[Channel],
    quantization: Quantization,
    layout: Layout = "channels-last",
) -> NDArray[Any]:
    """Windows of counts [n, window, channels] as what the input tensor holds.

    The result is `quantization.dtype` [n, window, channels], or [n, channels, window] where `layout` is channels-first.
    """
    prepared = quantization.quantize(normalize(raw, channels))
    return np.ascontiguousarray(prepared.swapaxes(1, 2)) if layout == "channels-first" else prepared

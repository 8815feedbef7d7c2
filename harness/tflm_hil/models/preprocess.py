"""Turn counts of the sensor into the input tensor of the network: the definition that the firmware must match.

Every step is an IEEE 754 binary32 operation with its own rounding (no fused multiply-add):

    x = float32(count) * gain + offset
    q = clip(rint(x / scale) + zero_point)        rint rounds halves to even; float32 inputs take x itself
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tflm_hil.recordings.channel import Channel

INPUT_TYPES = ("float32", "int8", "uint8", "int16")
"""The types of input tensors that firmware/lib/windowing writes and that stimuli exist for, as numpy names them."""

Layout = Literal["channels-last", "channels-first"]
"""The order of the network's input: [window, channels] or [channels, window]."""


@dataclass(frozen=True)
class Quantization:
    """How a tensor stores real numbers: real = (stored - zero_point) * scale. Both are 0 for float32 tensors."""

    dtype: np.dtype[Any]
    scale: float = 0.0
    zero_point: int = 0

    def quantize(self, values: NDArray[np.float32]) -> NDArray[Any]:
        """Return real `values`, of any shape, as `dtype`: rounded half to even and clipped to its range."""
        if self.dtype == np.float32:
            return values
        limits = np.iinfo(self.dtype)
        steps = np.rint(values / np.float32(self.scale)).astype(np.float64) + self.zero_point
        stored: NDArray[Any] = np.clip(steps, limits.min, limits.max).astype(self.dtype)
        return stored

    def real(self, stored: NDArray[Any]) -> NDArray[np.float64]:
        """Return the real values that `stored` stands for, in the same shape."""
        wide = stored.astype(np.float64)
        return wide if self.scale == 0 else (wide - self.zero_point) * self.scale


def normalize(raw: NDArray[np.int16], channels: Sequence[Channel]) -> NDArray[np.float32]:
    """Return counts [..., channels] as normalized float32 of the same shape; see `Channel`."""
    gain = np.array([channel.gain for channel in channels], dtype=np.float32)
    offset = np.array([channel.offset for channel in channels], dtype=np.float32)
    return raw.astype(np.float32) * gain + offset


def prepare(
    raw: NDArray[np.int16],
    channels: Sequence[Channel],
    quantization: Quantization,
    layout: Layout = "channels-last",
) -> NDArray[Any]:
    """Return windows of counts [n, window, channels] as the values of the input tensor.

    The result is `quantization.dtype` [n, window, channels], or [n, channels, window] if `layout` is channels-first.
    """
    prepared = quantization.quantize(normalize(raw, channels))
    return np.ascontiguousarray(prepared.swapaxes(1, 2)) if layout == "channels-first" else prepared

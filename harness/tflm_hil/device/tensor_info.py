"""What the device says of its input and output tensors."""

import dataclasses
import math
from typing import Any

import numpy as np

DTYPES: dict[int, type[np.generic]] = {
    0: np.float32,
    1: np.float16,
    2: np.int32,
    3: np.uint8,
    4: np.int64,
    6: np.bool_,
    7: np.int16,
    9: np.int8,
}
"""The types that a tensor may have, by TFLite's TensorType code."""

MOST_RANK = 8
"""The most dimensions that TFLite's own kernels know."""

MOST_BYTES = 1 << 24
"""More than any microcontroller has for a tensor."""


@dataclasses.dataclass(frozen=True)
class TensorInfo:
    """An input or output: `type` is TFLite's TensorType, real = scale * (stored - zero_point)."""

    type: int
    shape: tuple[int, ...]
    scale: float
    zero_point: int

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type as numpy has it."""
        return np.dtype(DTYPES[self.type])

    @property
    def problem(self) -> str:
        """Why there is no such tensor; an empty text where there may be one."""
        if 0 in self.shape:
            return f"a tensor of shape {list(self.shape)} has no elements"
        if self.bytes > MOST_BYTES:
            return f"a tensor of shape {list(self.shape)} would take {self.bytes:,} bytes"
        if not (math.isfinite(self.scale) and self.scale >= 0):
            return f"a tensor's scale is {self.scale}"
        if self.dtype.kind in "iu" and not (np.iinfo(self.dtype).min <= self.zero_point <= np.iinfo(self.dtype).max):
            return f"a tensor of type {self.dtype} has zero point {self.zero_point}"
        return ""

    @property
    def bytes(self) -> int:
        """Size in memory."""
        return math.prod(self.shape) * self.dtype.itemsize

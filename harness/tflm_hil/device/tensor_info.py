"""An input or output tensor, as the device describes it."""

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
"""The supported types of tensors, by their TensorType code in TFLite."""

MOST_RANK = 8
"""The most dimensions that kernels of TFLite support."""

MOST_BYTES = 1 << 24
"""The largest credible tensor, 16 MiB: no microcontroller has more memory for one."""


@dataclasses.dataclass(frozen=True)
class TensorInfo:
    """An input or output. `type` is a TensorType of TFLite; real value = scale * (stored value - zero_point)."""

    type: int
    shape: tuple[int, ...]
    scale: float
    zero_point: int

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type in numpy."""
        return np.dtype(DTYPES[self.type])

    @property
    def problem(self) -> str:
        """Why such a tensor cannot exist; an empty text if it can."""
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
        """Size in memory, in bytes."""
        return math.prod(self.shape) * self.dtype.itemsize

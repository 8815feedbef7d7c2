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
    def bytes(self) -> int:
        """Size in memory."""
        return math.prod(self.shape) * self.dtype.itemsize

"""What the tests of operators that only move elements have in common."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st
from tflm_hil.models.tflite_builder import TensorSpec
from tflm_hil.models.tflite_file import TensorType

from support.kernel_cases import FLOAT32, INT8, INT32

INT16 = TensorType.INT16
types = st.sampled_from([INT8, FLOAT32, INT16])
Values = npt.NDArray[Any]


def tensor(shape: Any, kind: TensorType, scale: float = 0.5, zero_point: int = 3) -> TensorSpec:
    if kind is FLOAT32:
        return TensorSpec(list(shape), kind)
    return TensorSpec(list(shape), kind, [scale], [zero_point if kind is INT8 else 0])


def values(rng: np.random.Generator, shape: Any, kind: TensorType) -> Values:
    if kind is FLOAT32:
        return np.asarray(rng.normal(0, 1, shape), np.float32)
    assert kind.dtype is not None
    limits = np.iinfo(kind.dtype)
    return np.asarray(rng.integers(limits.min, limits.max + 1, shape), kind.dtype)


def constant(content: Any) -> TensorSpec:
    data = np.array(content, np.int32)
    return TensorSpec(list(data.shape), INT32, data=data)


def shapes(rank: int) -> st.SearchStrategy[list[int]]:
    return st.lists(st.integers(1, 5), min_size=1, max_size=rank)

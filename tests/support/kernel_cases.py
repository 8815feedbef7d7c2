"""Helpers for tests of single kernels: strategies, and the comparison with TFLM."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from tflm_hil.models.tflite_file import TensorType

from support.compiler_helpers import run_tflm
from support.host_kernels import run_kernels

FLOAT32, INT8, INT32 = TensorType.FLOAT32, TensorType.INT8, TensorType.INT32
# The kernels of an int8 ADD or SUB.
SUMS = ("aot_add_s8", "aot_add_s8_tabled")
cases = settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])

zero_points = st.sampled_from([-128, 127, 0]) | st.integers(-128, 127)
seeds = st.integers(0, 2**32 - 1)
# Include powers of two, because rounding to the next power happens there.
scales = st.floats(1e-6, 10.0) | st.integers(-20, 3).map(lambda exponent: 2.0**exponent)
activations = st.sampled_from([0, 1, 2, 3])
fillings = st.sampled_from(["random", "random", "random", "ends", "low", "high"])


def int8_values(rng: np.random.Generator, shape: Any, kind: str) -> npt.NDArray[np.int8]:
    """Return random values, or values at the ends of the range."""
    choices = {"random": range(-128, 128), "ends": [-128, 127], "low": [-128], "high": [127]}
    return np.asarray(rng.choice(np.array(choices[kind], np.int8), shape))


def check_bit_exact(model: bytes, inputs: Sequence[npt.NDArray[Any]]) -> list[str]:
    """Compare bit patterns, so that -0.0 and 0.0 differ. Returns the kernels that ran."""
    outputs, kernels = run_kernels(model, inputs)
    for ours, theirs in zip(outputs, run_tflm(model, inputs), strict=True):
        assert ours.shape == theirs.shape
        np.testing.assert_array_equal(ours.ravel().view(np.uint8), theirs.ravel().view(np.uint8))
    return kernels


@st.composite
def broadcast_shapes(draw: st.DrawFn) -> tuple[list[int], list[int], list[int]]:
    """Two shapes that broadcast, and the result: up to five dimensions, some of which may be 1 or absent."""
    y = draw(st.lists(st.integers(1, 5), max_size=5))
    operands = []
    for _ in range(2):
        shape = [draw(st.sampled_from([size, size, size, 1])) for size in y]
        drop = draw(st.integers(0, len(y)))
        # Only leading dimensions may be absent. If both lack one, the result lacks it too.
        operands.append(shape[drop:] if draw(st.booleans()) else shape)
    return operands[0], operands[1], list(np.broadcast_shapes(tuple(operands[0]), tuple(operands[1])))


@st.composite
def reductions(draw: st.DrawFn) -> tuple[list[int], list[int], bool, list[int]]:
    """Input shape, dimensions to reduce (in any order, some counted from the end), whether they stay, output shape."""
    shape = draw(st.lists(st.integers(1, 6), min_size=1, max_size=4))
    axes = draw(st.lists(st.integers(0, len(shape) - 1), min_size=1, max_size=len(shape), unique=True))
    keep = draw(st.booleans())
    output = [1 if i in axes else size for i, size in enumerate(shape) if keep or i not in axes]
    return shape, [axis - len(shape) if draw(st.booleans()) else axis for axis in axes], keep, output

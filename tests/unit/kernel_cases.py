"""What the tests of single kernels have in common: strategies, and the comparison with upstream TFLM."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from compiler_helpers import run_kernels, run_tflm
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from harness.models.tflite_file import TensorType

FLOAT32, INT8, INT32 = TensorType.FLOAT32, TensorType.INT8, TensorType.INT32
cases = settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])

zero_points = st.sampled_from([-128, 127, 0]) | st.integers(-128, 127)
seeds = st.integers(0, 2**32 - 1)
# Powers of two are where roundings to the next power happen.
scales = st.floats(1e-6, 10.0) | st.integers(-20, 3).map(lambda exponent: 2.0**exponent)
activations = st.sampled_from([0, 1, 2, 3])
fillings = st.sampled_from(["random", "random", "random", "ends", "low", "high"])


def int8_values(rng: np.random.Generator, shape: Any, kind: str) -> npt.NDArray[np.int8]:
    """Random, or with every value at an end of the range."""
    choices = {"random": range(-128, 128), "ends": [-128, 127], "low": [-128], "high": [127]}
    return np.asarray(rng.choice(np.array(choices[kind], np.int8), shape))


def check_bit_exact(model: bytes, inputs: Sequence[npt.NDArray[Any]]) -> list[str]:
    """Compare bit patterns, so that -0.0 and 0.0 differ. Returns the kernels that ran."""
    outputs, kernels = run_kernels(model, inputs)
    for ours, theirs in zip(outputs, run_tflm(model, inputs), strict=True):
        assert ours.shape == theirs.shape
        np.testing.assert_array_equal(ours.ravel().view(np.uint8), theirs.ravel().view(np.uint8))
    return kernels

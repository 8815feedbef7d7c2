"""MEAN and SUM against upstream TFLM."""

from __future__ import annotations

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st
from support.compiler_helpers import needs_gcc
from support.kernel_cases import (
    FLOAT32,
    INT8,
    INT32,
    cases,
    check_bit_exact,
    fillings,
    int8_values,
    reductions,
    scales,
    seeds,
    zero_points,
)
from tflm_hil.models.tflite_builder import OperatorSpec, TensorSpec, build

pytestmark = needs_gcc

# Input scale to output scale; at the smallest, TFLM runs out of shifts.
ratios = st.floats(1e-4, 1e4) | st.sampled_from([1.0, 2.0**-29, 2.0**-30, 2.0**-31, 2.0**-32])


kinds = st.sampled_from(["MEAN", "SUM"])


def model(kind: str, x: TensorSpec, y: TensorSpec, axes: list[int], keep: bool) -> bytes:
    listed = TensorSpec([len(axes)], INT32, data=np.array(axes, np.int32))
    return build([x, y, listed], [OperatorSpec(kind, [0, 2], [1], {"KeepDims": keep})], [0], [1])


@cases
@given(kinds, seeds, reductions(), scales, ratios, zero_points, zero_points, fillings)
def test_int8_is_bit_exact(
    kind: str,
    seed: int,
    reduction: tuple[list[int], list[int], bool, list[int]],
    scale: float,
    ratio: float,
    zero_point: int,
    output_zero_point: int,
    filling: str,
) -> None:
    shape, axes, keep, output = reduction
    # Beyond, TFLM's result is whatever its compiler made of an overflow.
    assume(ratio * np.prod(shape) * 255 < 2**30)
    x = TensorSpec(shape, INT8, [scale], [zero_point])
    y = TensorSpec(output, INT8, [scale / ratio], [output_zero_point])
    values = int8_values(np.random.default_rng(seed), shape, filling)
    check_bit_exact(model(kind, x, y, axes, keep), [values])


@cases
@given(kinds, seeds, reductions())
def test_float32_is_bit_exact(kind: str, seed: int, reduction: tuple[list[int], list[int], bool, list[int]]) -> None:
    shape, axes, keep, output = reduction
    values = np.random.default_rng(seed).normal(1, 3, shape).astype(np.float32)
    check_bit_exact(model(kind, TensorSpec(shape, FLOAT32), TensorSpec(output, FLOAT32), axes, keep), [values])

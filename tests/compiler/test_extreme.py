"""MAXIMUM, MINIMUM, REDUCE_MAX, REDUCE_MIN and PACK against upstream TFLM."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.compiler_helpers import needs_gcc, refusal
from support.kernel_cases import (
    FLOAT32,
    INT8,
    INT32,
    broadcast_shapes,
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

types = st.sampled_from([INT8, FLOAT32])
ODD = np.array([np.inf, -np.inf, np.nan, -0.0, 0.0], np.float32)


def values_of(rng: np.random.Generator, kind: Any, shape: list[int], filling: str) -> npt.NDArray[Any]:
    if kind is INT8:
        return int8_values(rng, shape, filling)
    values = np.asarray(rng.normal(0, 3, shape), np.float32)
    values.ravel()[: rng.integers(3)] = rng.choice(ODD)
    return values


def spec(kind: Any, shape: list[int], scale: float, zero_point: int, data: Any = None) -> TensorSpec:
    return TensorSpec(shape, kind, [scale], [zero_point], data) if kind is INT8 else TensorSpec(shape, kind, data=data)


@cases
@given(seeds, st.sampled_from(["MAXIMUM", "MINIMUM"]), types, broadcast_shapes(), scales, zero_points, fillings)
def test_elementwise_is_bit_exact(
    seed: int,
    operator: str,
    kind: Any,
    shape: tuple[list[int], list[int], list[int]],
    scale: float,
    zero_point: int,
    filling: str,
) -> None:
    rng = np.random.default_rng(seed)
    values = [values_of(rng, kind, one, filling) for one in shape[:2]]
    tensors = [spec(kind, one, scale, zero_point) for one in shape]
    check_bit_exact(build(tensors, [OperatorSpec(operator, [0, 1], [2])], [0, 1], [2]), values)


@cases
@given(seeds, st.sampled_from(["REDUCE_MAX", "REDUCE_MIN"]), types, reductions(), scales, zero_points, fillings)
def test_reduction_is_bit_exact(
    seed: int,
    operator: str,
    kind: Any,
    reduction: tuple[list[int], list[int], bool, list[int]],
    scale: float,
    zero_point: int,
    filling: str,
) -> None:
    shape, axes, keep, output = reduction
    listed = TensorSpec([len(axes)], INT32, data=np.array(axes, np.int32))
    tensors = [spec(kind, shape, scale, zero_point), spec(kind, output, scale, zero_point), listed]
    model = build(tensors, [OperatorSpec(operator, [0, 2], [1], {"KeepDims": keep})], [0], [1])
    check_bit_exact(model, [values_of(np.random.default_rng(seed), kind, shape, filling)])


@cases
@given(seeds, types, st.lists(st.integers(1, 4), max_size=3), st.integers(1, 4), st.data())
def test_packing_is_bit_exact(seed: int, kind: Any, shape: list[int], count: int, data: st.DataObject) -> None:
    axis = data.draw(st.integers(-len(shape) - 1, len(shape)))
    output = list(np.stack([np.empty(shape)] * count, axis).shape)
    rng = np.random.default_rng(seed)
    values = [values_of(rng, kind, shape, "random") for _ in range(count)]
    tensors = [spec(kind, one, 0.5, 3) for one in [shape] * count + [output]]
    operator = OperatorSpec("PACK", [*range(count)], [count], {"Axis": axis, "ValuesCount": count})
    check_bit_exact(build(tensors, [operator], [*range(count)], [count]), values)


@pytest.mark.parametrize("kind", ["MAXIMUM", "REDUCE_MAX"])
def test_another_quantization_of_the_output_is_refused(kind: str, tmp_path: Any) -> None:
    """TFLM compares what is stored, so the answer would be of another scale."""
    x, y = TensorSpec([1, 4], INT8, [0.5], [0]), TensorSpec([1, 4], INT8, [0.25], [0])
    axes = TensorSpec([1], INT32, data=np.array([0], np.int32))
    second = 0 if kind == "MAXIMUM" else 2
    y = y if kind == "MAXIMUM" else TensorSpec([4], INT8, [0.25], [0])
    content = build([x, y, axes], [OperatorSpec(kind, [0, second], [1])], [0], [1])
    assert "quantized differently" in refusal(content, tmp_path)

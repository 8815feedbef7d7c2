"""RELU, RELU6, QUANTIZE and DEQUANTIZE against upstream TFLM."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import assume, example, given
from hypothesis import strategies as st
from support.compiler_helpers import needs_gcc
from support.host_kernels import run_kernels
from support.kernel_cases import (
    FLOAT32,
    INT8,
    cases,
    check_bit_exact,
    fillings,
    int8_values,
    scales,
    seeds,
    zero_points,
)
from tflm_hil.models.tflite_builder import OperatorSpec, TensorSpec, build, unary
from tflm_hil.models.tflite_file import TensorType

pytestmark = needs_gcc


@cases
@given(seeds, st.sampled_from(["RELU", "QUANTIZE"]))
def test_scales_are_divided_in_the_precision_that_tflm_uses(seed: int, kind: str) -> None:
    output_scale = np.random.default_rng(seed).uniform(0.01, 1, 1).astype(np.float32)[0]
    x = TensorSpec([1, 256], INT8, [output_scale * np.float32(1.5)], [-128])
    y = TensorSpec([1, 256], INT8, [output_scale], [-128])
    check_bit_exact(unary(kind, x, y), [np.arange(-128, 128, dtype=np.int8).reshape(1, 256)])


@cases
@given(seeds, st.integers(1, 50), scales, scales, zero_points, zero_points, fillings)
def test_relu_int8_is_bit_exact(
    seed: int, elements: int, input_scale: float, output_scale: float, input_zero: int, output_zero: int, filling: str
) -> None:
    assume(input_scale / output_scale < 2**22)
    x = TensorSpec([1, elements], INT8, [input_scale], [input_zero])
    y = TensorSpec([1, elements], INT8, [output_scale], [output_zero])
    check_bit_exact(unary("RELU", x, y), [int8_values(np.random.default_rng(seed), (1, elements), filling)])


@cases
@given(seeds, st.integers(1, 50), scales, zero_points)
def test_relu6_int8_is_bit_exact(seed: int, elements: int, scale: float, zero_point: int) -> None:
    spec = TensorSpec([1, elements], INT8, [scale], [zero_point])
    check_bit_exact(unary("RELU6", spec, spec), [int8_values(np.random.default_rng(seed), (1, elements), "random")])


@cases
@given(st.integers(0, 250), st.sampled_from([-np.inf, 0.0, np.inf]))
def test_the_limit_of_relu6_is_rounded_as_in_tflm(steps: int, direction: float) -> None:
    # 6.0 lies half way between two stored values, or next to that.
    half_way = np.float32(6 / (steps + 0.5))
    scale = np.nextafter(half_way, np.float32(direction)) if direction else half_way
    spec = TensorSpec([256, 1], INT8, [scale], [-128])
    x = np.arange(-128, 128, dtype=np.int8).reshape(256, 1)
    check_bit_exact(unary("RELU6", spec, spec), [x])
    weights = TensorSpec([1, 1], INT8, [1.0], data=np.ones((1, 1), np.int8))
    fused = OperatorSpec("FULLY_CONNECTED", [0, 1, -1], [2], {"FusedActivationFunction": 3})
    check_bit_exact(build([spec, weights, spec], [fused], [0], [2]), [x])


@cases
@given(seeds, st.integers(1, 50), scales, scales, zero_points, zero_points, fillings)
def test_quantize_int8_to_int8_is_bit_exact(
    seed: int, elements: int, input_scale: float, output_scale: float, input_zero: int, output_zero: int, filling: str
) -> None:
    assume(input_scale / output_scale < 2**22)
    x = TensorSpec([1, elements], INT8, [input_scale], [input_zero])
    y = TensorSpec([1, elements], INT8, [output_scale], [output_zero])
    check_bit_exact(unary("QUANTIZE", x, y), [int8_values(np.random.default_rng(seed), (1, elements), filling)])


floats = st.lists(
    st.floats(-1e5, 1e5, width=32) | st.floats(-130, 130, width=32) | st.integers(-200, 200).map(lambda n: n / 2),
    min_size=1,
    max_size=40,
)


@cases
@given(floats, st.floats(1e-3, 10.0) | st.just(1.0), zero_points)
def test_quantize_float32_to_int8_is_bit_exact(values: list[float], scale: float, zero_point: int) -> None:
    x = TensorSpec([1, len(values)], FLOAT32)
    y = TensorSpec([1, len(values)], INT8, [scale], [zero_point])
    check_bit_exact(unary("QUANTIZE", x, y), [np.array([values], np.float32)])


def test_quantize_saturates_what_is_not_a_number_of_the_range() -> None:
    # TFLM's conversion of these is undefined in C++; here it is not.
    values = np.array([[np.inf, -np.inf, np.nan, 3e38, -3e38]], np.float32)
    model = unary("QUANTIZE", TensorSpec([1, 5], FLOAT32), TensorSpec([1, 5], INT8, [1.0], [5]))
    np.testing.assert_array_equal(run_kernels(model, [values])[0][0], [[127, -128, 5, 127, -128]])


@cases
@given(seeds, zero_points)
def test_quantize_rounds_halves_as_tflm_does(seed: int, zero_point: int) -> None:
    scale = np.random.default_rng(seed).uniform(0.01, 1, 1).astype(np.float32)[0]
    halves = ((np.arange(-256, 256) + 0.5) * scale).astype(np.float32).reshape(1, 512)
    x, y = TensorSpec([1, 512], FLOAT32), TensorSpec([1, 512], INT8, [scale], [zero_point])
    check_bit_exact(unary("QUANTIZE", x, y), [halves])


@cases
@given(seeds, st.integers(1, 50), scales, zero_points)
def test_dequantize_int8_is_bit_exact(seed: int, elements: int, scale: float, zero_point: int) -> None:
    x = TensorSpec([1, elements], INT8, [scale], [zero_point])
    y = TensorSpec([1, elements], FLOAT32)
    values = int8_values(np.random.default_rng(seed), (1, elements), "random")
    check_bit_exact(unary("DEQUANTIZE", x, y), [values])


INTEGERS = {INT8: (-128, 127), TensorType.UINT8: (0, 255), TensorType.INT16: (-32768, 32767)}


def zero_points_of(kind: TensorType) -> st.SearchStrategy[int]:
    return st.sampled_from([*INTEGERS[kind], sum(INTEGERS[kind]) // 2]) | st.integers(*INTEGERS[kind])


def every_value(kind: TensorType) -> npt.NDArray[Any]:
    low, high = INTEGERS[kind]
    assert kind.dtype is not None
    return np.arange(low, high + 1).astype(kind.dtype).reshape(2, -1)


@cases
@given(
    st.sampled_from(
        [
            (INT8, TensorType.INT16),
            (TensorType.INT16, INT8),
            (TensorType.INT16, TensorType.INT16),
            (INT8, TensorType.UINT8),
            (TensorType.UINT8, INT8),
        ]
    ),
    scales,
    st.floats(1e-5, 1e5) | st.sampled_from([1.0, 0.5, 256.0, 1 / 256]),
    st.data(),
)
def test_quantize_between_integers_is_bit_exact_for_every_input(
    kinds: tuple[TensorType, TensorType], scale: float, ratio: float, data: st.DataObject
) -> None:
    source, target = kinds
    values = every_value(source)
    # Beyond, TFLM's result is whatever its compiler made of an overflow.
    assume(ratio * values.size < 2**29)
    x = TensorSpec(values.shape, source, [scale], [data.draw(zero_points_of(source))])
    y = TensorSpec(values.shape, target, [scale / ratio], [data.draw(zero_points_of(target))])
    check_bit_exact(unary("QUANTIZE", x, y), [values])


@cases
@given(st.sampled_from(list(INTEGERS)), scales, st.data())
def test_dequantize_is_bit_exact_for_every_input(kind: TensorType, scale: float, data: st.DataObject) -> None:
    values = every_value(kind)
    x = TensorSpec(values.shape, kind, [scale], [data.draw(zero_points_of(kind))])
    check_bit_exact(unary("DEQUANTIZE", x, TensorSpec(values.shape, FLOAT32)), [values])


@cases
@given(floats, st.floats(1e-3, 10.0) | st.just(1.0), zero_points_of(TensorType.INT16))
def test_quantize_float32_to_int16_is_bit_exact(values: list[float], scale: float, zero_point: int) -> None:
    x = TensorSpec([1, len(values)], FLOAT32)
    y = TensorSpec([1, len(values)], TensorType.INT16, [scale], [zero_point])
    check_bit_exact(unary("QUANTIZE", x, y), [np.array([values], np.float32)])


@cases
@given(floats, st.floats(1e-3, 10.0) | st.just(1.0), zero_points)
def test_quantize_to_uint8_is_int8_moved_by_128(values: list[float], scale: float, zero_point: int) -> None:
    # TFLM makes no uint8 of float32.
    x = TensorSpec([1, len(values)], FLOAT32)
    results = []
    for kind, zero in ((INT8, zero_point), (TensorType.UINT8, zero_point + 128)):
        y = TensorSpec([1, len(values)], kind, [scale], [zero])
        results.append(run_kernels(unary("QUANTIZE", x, y), [np.array([values], np.float32)])[0][0])
    np.testing.assert_array_equal(results[0].astype(int) + 128, results[1])


@cases
@given(floats, st.sampled_from(["RELU", "RELU6"]))
@example([-0.0, 0.0, 6.0, float("inf"), float("-inf")], "RELU6")
@example([-0.0, 0.0, 6.0, float("inf"), float("-inf")], "RELU")
def test_relu_float32_is_bit_exact(values: list[float], kind: str) -> None:
    spec = TensorSpec([1, len(values)], FLOAT32)
    check_bit_exact(unary(kind, spec, spec), [np.array([values], np.float32)])

"""Every kernel against upstream TFLM, over shapes, scales, zero points and activations that hypothesis thinks up."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from compiler_helpers import exp_f32, needs_gcc, run_kernels, run_tflm
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from tflite_builder import OperatorSpec, TensorSpec, build

from harness.compiler.operators.softmax import float_ulp_bound
from harness.models.tflite_file import TensorType

pytestmark = needs_gcc
FLOAT32, INT8, INT32 = TensorType.FLOAT32, TensorType.INT8, TensorType.INT32
cases = settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow])

zero_points = st.sampled_from([-128, 127, 0]) | st.integers(-128, 127)
activations = st.sampled_from([0, 1, 2, 3])
seeds = st.integers(0, 2**32 - 1)
# Powers of two are where roundings to the next power happen.
scales = st.floats(1e-6, 10.0) | st.integers(-20, 3).map(lambda exponent: 2.0**exponent)


def int8_values(rng: np.random.Generator, shape: Any, kind: str) -> npt.NDArray[np.int8]:
    """Random, or with every value at an end of the range."""
    choices = {"random": range(-128, 128), "ends": [-128, 127], "low": [-128], "high": [127]}
    return np.asarray(rng.choice(np.array(choices[kind], np.int8), shape))


fillings = st.sampled_from(["random", "random", "random", "ends", "low", "high"])


def check_bit_exact(model: bytes, inputs: list[npt.NDArray[Any]]) -> list[str]:
    """Compare bit patterns, so that -0.0 and 0.0 differ. Returns the kernels that ran."""
    outputs, kernels = run_kernels(model, inputs)
    for ours, theirs in zip(outputs, run_tflm(model, inputs), strict=True):
        np.testing.assert_array_equal(ours.view(np.uint8), np.ascontiguousarray(theirs).view(np.uint8))
    return kernels


@st.composite
def int8_layers(draw: st.DrawFn) -> tuple[bytes, list[npt.NDArray[Any]]]:
    rng = np.random.default_rng(draw(seeds))
    batches, columns, rows = draw(st.integers(1, 3)), draw(st.integers(1, 70)), draw(st.integers(1, 13))
    columns = draw(st.sampled_from([columns, 480, 481, 484, 1000]))
    channels = draw(st.sampled_from([1, rows]))
    weights = int8_values(rng, (rows, columns), draw(fillings))
    if draw(st.integers(0, 3)):
        weights = np.maximum(weights, -127)
    input_scale = draw(scales)
    weight_scales = [draw(scales) for _ in range(channels)]
    limit = 2 ** draw(st.sampled_from([4, 12, 20, 30]))
    bias = rng.integers(-limit, limit, rows).astype(np.int32)
    # The factors that sums are multiplied with, from one that leaves nothing of them to one that just does not
    # overflow: beyond, TFLM's result is whatever its compiler made of it.
    largest_sum = np.abs(weights.astype(np.int64)).sum(axis=1).max() * 255 + limit
    factors = st.sampled_from([-40, -32, -31]) | st.integers(-12, -2) | st.floats(-16, -4) | st.floats(-4, 16)
    factor = min(2.0 ** draw(factors), 2**29 / largest_sum)
    # Below 1e-6, RELU6 has its upper end beyond int32, and TFLM refuses the layer.
    output_scale = max(float(np.float32(input_scale * max(weight_scales) / factor)), 1e-6)
    bias_scales = [float(np.float32(input_scale) * np.float32(scale)) for scale in weight_scales]
    tensors = [
        TensorSpec([batches, columns], INT8, [input_scale], [draw(zero_points)]),
        TensorSpec([rows, columns], INT8, weight_scales, data=weights),
        TensorSpec([rows], INT32, bias_scales, data=bias),
        TensorSpec([batches, rows], INT8, [output_scale], [draw(zero_points)]),
    ]
    inputs = [0, 1, 2] if draw(st.booleans()) else [0, 1, -1]
    operator = OperatorSpec("FULLY_CONNECTED", inputs, [3], {"FusedActivationFunction": draw(activations)})
    return build(tensors, [operator], [0], [3]), [int8_values(rng, (batches, columns), draw(fillings))]


@cases
@given(int8_layers())
def test_fully_connected_int8_is_bit_exact(case: tuple[bytes, list[npt.NDArray[Any]]]) -> None:
    check_bit_exact(*case)


def int8_layer(weights: npt.NDArray[np.int8], output_scale: float = 8.0) -> bytes:
    rows, columns = weights.shape
    tensors = [
        TensorSpec([1, columns], INT8, [0.5], [-128]),
        TensorSpec([rows, columns], INT8, [0.5], data=weights),
        TensorSpec([1, rows], INT8, [output_scale], [0]),
    ]
    return build(tensors, [OperatorSpec("FULLY_CONNECTED", [0, 1, -1], [2])], [0], [2])


@given(seeds, st.sampled_from([1, 2]))
def test_scales_are_multiplied_in_the_precision_that_tflm_uses(seed: int, channels: int) -> None:
    # In float32 the product of these scales is an eighth of the output's, so results end in one half; in float64 not.
    rng = np.random.default_rng(seed)
    input_scale, *weight_scales = rng.uniform(0.01, 1, 1 + channels).astype(np.float32)
    tensors = [
        TensorSpec([64, 4], INT8, [input_scale], [0]),
        TensorSpec([2, 4], INT8, weight_scales, data=rng.integers(-3, 4, (2, 4)).astype(np.int8)),
        TensorSpec([64, 2], INT8, [input_scale * weight_scales[0] * np.float32(8)], [0]),
    ]
    model = build(tensors, [OperatorSpec("FULLY_CONNECTED", [0, 1, -1], [2])], [0], [2])
    check_bit_exact(model, [rng.integers(-20, 20, (64, 4)).astype(np.int8)])


@given(seeds, st.sampled_from(["RELU", "QUANTIZE"]))
def test_scales_are_divided_in_the_precision_that_tflm_uses(seed: int, kind: str) -> None:
    output_scale = np.random.default_rng(seed).uniform(0.01, 1, 1).astype(np.float32)[0]
    x = TensorSpec([1, 256], INT8, [output_scale * np.float32(1.5)], [-128])
    y = TensorSpec([1, 256], INT8, [output_scale], [-128])
    check_bit_exact(unary(kind, x, y), [np.arange(-128, 128, dtype=np.int8).reshape(1, 256)])


def test_weights_that_do_not_fit_a_pair_use_the_unpacked_kernel() -> None:
    x = np.arange(-128, -120, dtype=np.int8).reshape(1, 8)
    packable = np.array([[-128] * 8, [0] * 8, [-127] * 8, [-127] * 8], np.int8)
    assert check_bit_exact(int8_layer(packable), [x]) == ["aot_fully_connected_s8"]
    unpackable = np.array([[-128] * 8, [-1] * 8], np.int8)
    assert check_bit_exact(int8_layer(unpackable), [x]) == ["aot_fully_connected_s8_unpacked"]


def test_factors_of_one_half_and_more_use_the_unpacked_kernel() -> None:
    x = np.arange(-128, -120, dtype=np.int8).reshape(1, 8)
    weights = np.arange(-8, 8, dtype=np.int8).reshape(2, 8)
    assert check_bit_exact(int8_layer(weights, 0.5), [x]) == ["aot_fully_connected_s8_unpacked"]
    assert check_bit_exact(int8_layer(weights, 0.51), [x]) == ["aot_fully_connected_s8"]


@pytest.mark.parametrize("exponent", range(-9, 0))
def test_halves_are_rounded_away_from_zero(exponent: int) -> None:
    # Every int8 input as a batch of its own, times small weights, times a power of two: many results end in one half.
    weights = np.arange(-8, 8, dtype=np.int8).reshape(16, 1)
    tensors = [
        TensorSpec([256, 1], INT8, [1.0], [0]),
        TensorSpec([16, 1], INT8, [1.0], data=weights),
        TensorSpec([256, 16], INT8, [2.0**-exponent], [3]),
    ]
    model = build(tensors, [OperatorSpec("FULLY_CONNECTED", [0, 1, -1], [2])], [0], [2])
    check_bit_exact(model, [np.arange(-128, 128, dtype=np.int8).reshape(256, 1)])


def test_results_that_overflow_saturate() -> None:
    # The factor is 2^20 and the sums are 2^14 and more: 34 bits.
    weights = np.array([[127], [-127]], np.int8)
    x = np.array([[127]], np.int8)
    outputs, _ = run_kernels(int8_layer(weights, 2.0**-22), [x])
    np.testing.assert_array_equal(outputs[0], [[127, -128]])


def test_long_rows_are_summed_in_parts() -> None:
    # 4,000 products of 127 * -128 leave the 23 bits that one part has.
    x = np.full((1, 4000), -128, np.int8)
    weights = np.full((6, 4000), 127, np.int8)
    assert check_bit_exact(int8_layer(weights, 2e6), [x]) == ["aot_fully_connected_s8"]


@cases
@given(
    seeds,
    st.integers(1, 3),
    st.integers(1, 40),
    st.integers(1, 11),
    activations,
    st.booleans(),
    st.sampled_from([1.0, 1e-30, 1e30]),
)
def test_fully_connected_float32_is_bit_exact(
    seed: int, batches: int, columns: int, rows: int, activation: int, with_bias: bool, size: float
) -> None:
    rng = np.random.default_rng(seed)
    tensors = [
        TensorSpec([batches, columns], FLOAT32),
        TensorSpec([rows, columns], FLOAT32, data=rng.normal(0, 1, (rows, columns)).astype(np.float32)),
        TensorSpec([rows], FLOAT32, data=rng.normal(0, 1, rows).astype(np.float32)),
        TensorSpec([batches, rows], FLOAT32),
    ]
    inputs = [0, 1, 2] if with_bias else [0, 1]
    operator = OperatorSpec("FULLY_CONNECTED", inputs, [3], {"FusedActivationFunction": activation})
    x = rng.normal(0, size, (batches, columns)).astype(np.float32)
    check_bit_exact(build(tensors, [operator], [0], [3]), [x])


def unary(kind: str, x: TensorSpec, y: TensorSpec, options: dict[str, Any] | None = None) -> bytes:
    return build([x, y], [OperatorSpec(kind, [0], [1], options or {})], [0], [1])


@cases
@given(seeds, st.integers(1, 3), st.integers(1, 300), scales, st.floats(0.01, 4.0), zero_points, fillings)
@example(seed=0, rows=1, depth=2, scale=1e6, beta=1.0, zero_point=0, filling="ends")
def test_softmax_int8_is_bit_exact(
    seed: int, rows: int, depth: int, scale: float, beta: float, zero_point: int, filling: str
) -> None:
    assume(beta * scale > 2**-26)
    x = TensorSpec([rows, depth], INT8, [scale], [zero_point])
    y = TensorSpec([rows, depth], INT8, [1 / 256], [-128])
    values = int8_values(np.random.default_rng(seed), (rows, depth), filling)
    check_bit_exact(unary("SOFTMAX", x, y, {"Beta": beta}), [values])


def test_softmax_int8_of_very_many_equal_elements_is_zero() -> None:
    # TFLM aborts from 512 on. A thousandth is nearer to 0 than to 1/256.
    x, y = TensorSpec([1, 1000], INT8, [1.0], [0]), TensorSpec([1, 1000], INT8, [1 / 256], [-128])
    outputs, _ = run_kernels(unary("SOFTMAX", x, y, {"Beta": 1.0}), [np.zeros((1, 1000), np.int8)])
    np.testing.assert_array_equal(outputs[0], -128)


@cases
@given(seeds, st.integers(1, 3), st.integers(1, 40), st.floats(0.01, 4.0), st.sampled_from([0.1, 1.0, 10.0, 100.0]))
def test_softmax_float32_stays_within_its_bound(seed: int, rows: int, depth: int, beta: float, size: float) -> None:
    spec = TensorSpec([rows, depth], FLOAT32)
    values = np.random.default_rng(seed).normal(0, size, (rows, depth)).astype(np.float32)
    model = unary("SOFTMAX", spec, spec, {"Beta": beta})
    ours = run_kernels(model, [values])[0][0].view(np.int32).astype(np.int64)
    theirs = run_tflm(model, [values])[0].view(np.int32).astype(np.int64)
    assert np.abs(ours - theirs).max() <= float_ulp_bound(depth)


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


@cases
@given(floats, st.sampled_from(["RELU", "RELU6"]))
@example([-0.0, 0.0, 6.0, float("inf"), float("-inf")], "RELU6")
@example([-0.0, 0.0, 6.0, float("inf"), float("-inf")], "RELU")
def test_relu_float32_is_bit_exact(values: list[float], kind: str) -> None:
    spec = TensorSpec([1, len(values)], FLOAT32)
    check_bit_exact(unary(kind, spec, spec), [np.array([values], np.float32)])


def test_exp_is_within_its_bound() -> None:
    rng = np.random.default_rng(0)
    powers_of_two = np.arange(-150, 129) * np.log(2)
    x = np.concatenate([rng.uniform(-105, 90, 20000), rng.normal(0, 1e-3, 2000), powers_of_two]).astype(np.float32)
    exact = np.exp(x.astype(np.float64))
    finite = exact < np.finfo(np.float32).max
    unit = np.maximum(2.0 ** (np.floor(np.log2(exact[finite])) - 23), 2.0**-149)
    assert (np.abs(exp_f32(x[finite]) - exact[finite]) / unit).max() <= 0.52
    assert np.all(np.isinf(exp_f32(x[~finite])))


def test_exp_of_what_is_not_an_ordinary_number() -> None:
    x = np.array([0.0, -0.0, 1e-40, np.inf, -np.inf, np.nan, -200.0, 200.0], np.float32)
    np.testing.assert_array_equal(exp_f32(x), [1, 1, 1, np.inf, 0, np.nan, 0, np.inf])

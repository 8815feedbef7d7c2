"""FULLY_CONNECTED against upstream TFLM, over layers that hypothesis thinks up."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.compiler_helpers import needs_gcc
from support.host_kernels import run_kernels
from support.kernel_cases import (
    FLOAT32,
    INT8,
    INT32,
    cases,
    check_bit_exact,
    fillings,
    int8_values,
    scales,
    seeds,
    zero_points,
)
from tflm_hil.models.tflite_builder import OperatorSpec, TensorSpec, build

pytestmark = needs_gcc

activations = st.sampled_from([0, 1, 2, 3])


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


@cases
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

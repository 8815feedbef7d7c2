"""Operators on int16 activations, with int8 weights where they have some, against upstream TFLM."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.compiler_helpers import ROOT, needs_gcc
from support.convolution_cases import CONV, Shape, shapes
from support.kernel_cases import INT8, INT32, activations, check_bit_exact, seeds
from tflm_hil.compiler.graph.sliding_window import SAME, VALID
from tflm_hil.errors import HilError
from tflm_hil.models.tflite_builder import OperatorSpec, TensorSpec, build, unary
from tflm_hil.models.tflite_file import TensorType

pytestmark = needs_gcc

INT16, INT64 = TensorType.INT16, TensorType.INT64
cases = settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
fillings = st.sampled_from(["random", "random", "ends", "small"])
scales = st.floats(1e-5, 1e-2) | st.integers(-16, -6).map(lambda exponent: 2.0**exponent)
bias_types = st.sampled_from([INT64, INT64, INT32, None])


def int16_values(rng: np.random.Generator, shape: Sequence[int], kind: str) -> npt.NDArray[np.int16]:
    """Random, random about 0, or with every value at an end of the range."""
    if kind == "ends":
        return np.asarray(rng.choice(np.array([-32768, 32767], np.int16), tuple(shape)))
    limit = 32768 if kind == "random" else 200
    return rng.integers(-limit, limit, tuple(shape)).astype(np.int16)


def layer(
    kind: str,
    x: Sequence[int],
    weights: npt.NDArray[np.int8],
    y: Sequence[int],
    dimension: int,
    rng: np.random.Generator,
    bias: TensorType | None,
    ratio: float,
    options: dict[str, Any],
) -> bytes:
    """A layer with random biases and scales; outputs fill their range where `ratio` is about 1."""
    outputs = weights.shape[dimension]
    weight_scales = [float(scale) for scale in rng.uniform(0.002, 0.01, outputs if rng.integers(2) else 1)]
    if bias is INT32:
        ratio = max(ratio, 0.02)  # or sums would be shifted out of 32 bits, which C++ leaves open
    target = 1e-4 * 0.005 * 73 * (weights.size / outputs) ** 0.5 * ratio
    tensors = [
        TensorSpec(x, INT16, [1e-4], [0]),
        TensorSpec(weights.shape, INT8, weight_scales, data=weights, quantized_dimension=dimension),
    ]
    if bias is not None:
        values = rng.integers(-(2**24), 2**24, outputs).astype(np.int32 if bias is INT32 else np.int64)
        bias_scales = [float(np.float32(1e-4) * np.float32(scale)) for scale in weight_scales]
        tensors.append(TensorSpec([outputs], bias, bias_scales, data=values))
    tensors.append(TensorSpec(y, INT16, [target], [0]))
    last = len(tensors) - 1
    return build(tensors, [OperatorSpec(kind, list(range(last)), [last], options)], [0], [last])


@cases
@given(shapes, seeds, bias_types, activations, fillings, st.sampled_from([1.0, 1.0, 0.02, 2e-3, 100.0]))
def test_convolutions_are_bit_exact(
    shape: Shape, seed: int, bias: TensorType | None, activation: int, filling: str, ratio: float
) -> None:
    rng = np.random.default_rng(seed)
    if shape.kind != CONV and bias is INT32:
        bias = INT64  # TFLM would read 32-bit biases of a depthwise layer as 64-bit ones
    weights = rng.integers(-127, 128, shape.weights).astype(np.int8)
    options = shape.options | {"FusedActivationFunction": activation}
    model = layer(shape.kind, shape.x, weights, shape.y, shape.output_dimension, rng, bias, ratio, options)
    assert check_bit_exact(model, [int16_values(rng, shape.x, filling)]) == ["aot_conv_s16"]


@cases
@given(
    st.tuples(st.integers(1, 3), st.integers(1, 700), st.integers(1, 9)),
    seeds,
    bias_types,
    activations,
    fillings,
    st.sampled_from([1.0, 1.0, 0.02, 2e-3, 100.0]),
)
def test_fully_connected_layers_are_bit_exact(
    sizes: tuple[int, int, int], seed: int, bias: TensorType | None, activation: int, filling: str, ratio: float
) -> None:
    rng = np.random.default_rng(seed)
    batches, columns, rows = sizes
    weights = rng.integers(-127, 128, (rows, columns)).astype(np.int8)
    options = {"FusedActivationFunction": activation}
    model = layer("FULLY_CONNECTED", [batches, columns], weights, [batches, rows], 0, rng, bias, ratio, options)
    check_bit_exact(model, [int16_values(rng, (batches, columns), filling)])


@cases
@given(
    seeds,
    st.sampled_from(["ADD", "SUB", "MUL"]),
    st.sampled_from([([2, 3, 5], [2, 3, 5]), ([2, 3, 5], [5]), ([1], [4, 7]), ([3, 1], [1, 5])]),
    st.tuples(scales, scales, st.floats(0.1, 10)),
    activations,
    fillings,
)
def test_sums_and_products_are_bit_exact(
    seed: int,
    kind: str,
    operands: tuple[list[int], list[int]],
    scale: tuple[float, float, float],
    activation: int,
    filling: str,
) -> None:
    rng = np.random.default_rng(seed)
    natural = scale[0] * scale[1] * 32767 if kind == "MUL" else max(scale[:2])
    y = list(np.broadcast_shapes(*map(tuple, operands)))
    specs = [
        TensorSpec(size, INT16, [factor], [0])
        for size, factor in zip((*operands, y), (*scale[:2], natural * scale[2]), strict=True)
    ]
    model = build(specs, [OperatorSpec(kind, [0, 1], [2], {"FusedActivationFunction": activation})], [0, 1], [2])
    check_bit_exact(model, [int16_values(rng, size, filling) for size in operands])


@cases
@given(
    seeds,
    st.sampled_from(["AVERAGE_POOL_2D", "MAX_POOL_2D"]),
    st.tuples(st.integers(3, 9), st.integers(3, 9), st.integers(1, 5)),
    st.sampled_from([SAME, VALID]),
    activations,
    fillings,
)
def test_pooling_is_bit_exact(
    seed: int, kind: str, x: tuple[int, int, int], padding: int, activation: int, filling: str
) -> None:
    rng = np.random.default_rng(seed)
    height, width = ((-(-size // 2) if padding == SAME else (size - 3) // 2 + 1) for size in x[:2])
    options = {"FilterHeight": 3, "FilterWidth": 3, "StrideH": 2, "StrideW": 2, "Padding": padding}
    options["FusedActivationFunction"] = activation
    source, target = (TensorSpec(shape, INT16, [1e-4], [0]) for shape in ([1, *x], [1, height, width, x[2]]))
    check_bit_exact(unary(kind, source, target, options), [int16_values(rng, (1, *x), filling)])


@cases
@given(seeds, st.lists(st.integers(0, 3), min_size=1, max_size=4, unique=True), scales, scales, fillings)
def test_means_are_bit_exact(seed: int, axes: list[int], source: float, target: float, filling: str) -> None:
    rng = np.random.default_rng(seed)
    x = [2, 5, 7, 3]
    y = [1 if axis in axes else size for axis, size in enumerate(x)]
    tensors = [
        TensorSpec(x, INT16, [source], [0]),
        TensorSpec([len(axes)], INT32, data=np.array(axes, np.int32)),
        TensorSpec(y, INT16, [max(source * 1e-3, target)], [0]),
    ]
    model = build(tensors, [OperatorSpec("MEAN", [0, 1], [2], {"KeepDims": True})], [0], [2])
    check_bit_exact(model, [int16_values(rng, x, filling)])


@cases
@given(seeds, st.tuples(st.integers(1, 3), st.integers(1, 40)), scales, st.floats(0.1, 2.0), fillings)
def test_softmax_is_bit_exact(seed: int, shape: tuple[int, int], scale: float, beta: float, filling: str) -> None:
    rng = np.random.default_rng(seed)
    x, y = (TensorSpec(shape, INT16, [one], [0]) for one in (scale, 2.0**-15))
    check_bit_exact(unary("SOFTMAX", x, y, {"Beta": beta}), [int16_values(rng, shape, filling)])


# Differences from a maximum of 32767 that reach every entry of both tables, and all that lies between two.
@pytest.mark.parametrize("depth", [2, 3, 5])
def test_softmax_tables_are_those_of_tflm(depth: int) -> None:
    rows = 65536 // depth
    values = np.full((rows, depth), 32767, np.int16)
    values[:, -1] = np.arange(-32768, 32768, depth)[:rows]
    x, y = (TensorSpec(values.shape, INT16, [one], [0]) for one in (10 / 65535, 2.0**-15))
    check_bit_exact(unary("SOFTMAX", x, y, {"Beta": 1.0}), [values])


@pytest.mark.parametrize("kind", ["LOGISTIC", "TANH"])
@pytest.mark.parametrize("scale", [2.0**-12, 2.0**-11, 2.0**-13, 1e-4, 3.3e-4, 0.002, 1e-7, 0.4])
def test_every_logistic_and_tanh_is_that_of_tflm(kind: str, scale: float) -> None:
    every = np.arange(-32768, 32768, dtype=np.int16).reshape(256, 256)
    x, y = (TensorSpec(every.shape, INT16, [one], [0]) for one in (scale, 2.0**-15))
    check_bit_exact(unary(kind, x, y), [every])


@pytest.mark.parametrize(
    ("kind", "options"),
    [("SOFTMAX", {"Beta": 1.0}), ("TANH", {}), ("MAX_POOL_2D", {"FilterHeight": 1, "FilterWidth": 1, "StrideH": 1})],
)
def test_a_zero_point_that_tflm_takes_for_0_is_refused(kind: str, options: dict[str, Any]) -> None:
    options = options | ({"StrideW": 1} if "StrideH" in options else {})
    x, y = (TensorSpec([1, 2, 2, 3], INT16, [2.0**-15], [zero]) for zero in (7, 0))
    with pytest.raises(HilError, match="int16 with zero point 7 instead of 0"):
        check_bit_exact(unary(kind, x, y, options), [])


def test_32_bit_biases_of_a_depthwise_layer_are_refused() -> None:
    rng = np.random.default_rng(1)
    options = {"Padding": VALID, "StrideH": 1, "StrideW": 1, "DepthMultiplier": 1}
    weights = np.ones((1, 1, 1, 2), np.int8)
    model = layer("DEPTHWISE_CONV_2D", (1, 2, 2, 2), weights, (1, 2, 2, 2), 3, rng, INT32, 1.0, options)
    with pytest.raises(
        HilError, match=r"INT16 x INT8 x INT32 -> INT16; supported: .*, INT16 x INT8 x INT64 -> INT16, "
    ):
        check_bit_exact(model, [])


def test_a_window_that_dilation_leaves_empty_has_the_bias_alone() -> None:
    # The middle tap is at -1 + 2 = 1, beyond an image of one column.
    rng = np.random.default_rng(2)
    options = {"Padding": SAME, "StrideH": 1, "StrideW": 1, "DilationHFactor": 3, "DilationWFactor": 2}
    weights = rng.integers(-127, 128, (2, 2, 2, 3)).astype(np.int8)
    model = layer(CONV, (1, 1, 1, 3), weights, (1, 1, 1, 2), 0, rng, INT64, 1.0, options)
    check_bit_exact(model, [int16_values(rng, (1, 1, 1, 3), "random")])


@pytest.mark.external
def test_a_network_that_was_converted_to_int16x8_equals_tflm() -> None:
    path = ROOT.parent / "shared" / "cases" / "tflite" / "wave_int16x8.tflite"
    if not path.is_file():
        pytest.skip(f"{path} is not here")
    rng = np.random.default_rng(3)
    for filling in ("random", "ends", "small"):
        check_bit_exact(path.read_bytes(), [int16_values(rng, (1, 64, 3), filling)])

"""CONV_2D and DEPTHWISE_CONV_2D against upstream TFLM, over layers that hypothesis thinks up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from compiler_helpers import needs_gcc
from hypothesis import assume, given
from hypothesis import strategies as st
from kernel_cases import FLOAT32, INT8, INT32, cases, check_bit_exact, fillings, int8_values, scales, seeds, zero_points
from tflite_builder import OperatorSpec, TensorSpec, build

pytestmark = needs_gcc

activations = st.sampled_from([0, 1, 2, 3])


@dataclass(frozen=True)
class Shape:
    """The geometry of a layer; `outputs` is the number of output channels."""

    kind: str
    x: tuple[int, int, int, int]
    weights: tuple[int, int, int, int]
    y: tuple[int, int, int, int]
    options: dict[str, int]

    @property
    def outputs(self) -> int:
        return self.y[3]

    @property
    def output_dimension(self) -> int:
        """That of the output channels in the weights."""
        return 0 if self.kind == "CONV_2D" else 3


@st.composite
def shapes(draw: st.DrawFn) -> Shape:
    kind = draw(st.sampled_from(["CONV_2D", "DEPTHWISE_CONV_2D"]))
    kernel = (draw(st.integers(1, 5)), draw(st.integers(1, 5)))
    strides = (draw(st.integers(1, 3)), draw(st.integers(1, 3)))
    dilations = draw(st.sampled_from([(1, 1), (1, 1), (1, 1), (2, 1), (1, 3), (2, 2)]))
    padding = draw(st.sampled_from([0, 1]))
    size = (draw(st.integers(1, 12)), draw(st.integers(1, 12)))
    output = []
    for axis in (0, 1):
        span = (kernel[axis] - 1) * dilations[axis] + 1
        outputs = size[axis] if padding == 0 else size[axis] - span + 1
        assume(outputs > 0)
        output.append(-(-outputs // strides[axis]))
    options = {"Padding": padding, "StrideH": strides[0], "StrideW": strides[1]}
    options |= {"DilationHFactor": dilations[0], "DilationWFactor": dilations[1]}
    if kind == "CONV_2D":
        groups = draw(st.sampled_from([1, 1, 1, 2, 3]))
        inputs, outputs = groups * draw(st.integers(1, 9)), groups * draw(st.integers(1, 9))
        weights = (outputs, *kernel, inputs // groups)
    else:
        inputs, multiplier = draw(st.integers(1, 9)), draw(st.sampled_from([1, 1, 1, 2, 3]))
        outputs = inputs * multiplier
        weights = (1, *kernel, outputs)
        options["DepthMultiplier"] = multiplier
    return Shape(kind, (1, *size, inputs), weights, (1, output[0], output[1], outputs), options)


def int8_layer(
    shape: Shape,
    weights: npt.NDArray[np.int8],
    bias: npt.NDArray[np.int32] | None,
    weight_scales: list[float],
    source: tuple[float, int],
    target: tuple[float, int],
    activation: int = 0,
) -> bytes:
    bias_scales = [float(np.float32(source[0]) * np.float32(scale)) for scale in weight_scales]
    no_bias = np.zeros(shape.outputs, np.int32)
    tensors = [
        TensorSpec(shape.x, INT8, [source[0]], [source[1]]),
        TensorSpec(shape.weights, INT8, weight_scales, data=weights, quantized_dimension=shape.output_dimension),
        TensorSpec([shape.outputs], INT32, bias_scales, data=no_bias if bias is None else bias),
        TensorSpec(shape.y, INT8, [target[0]], [target[1]]),
    ]
    options = shape.options | {"FusedActivationFunction": activation}
    inputs = [0, 1] if bias is None else [0, 1, 2]
    return build(tensors, [OperatorSpec(shape.kind, inputs, [3], options)], [0], [3])


@st.composite
def int8_layers(draw: st.DrawFn, shapes: st.SearchStrategy[Shape]) -> tuple[bytes, list[npt.NDArray[Any]]]:
    shape = draw(shapes)
    rng = np.random.default_rng(draw(seeds))
    weights = int8_values(rng, shape.weights, draw(fillings))
    if draw(st.integers(0, 3)):
        weights = np.maximum(weights, -127)
    weight_scales = [draw(scales) for _ in range(draw(st.sampled_from([1, shape.outputs])))]
    input_scale = draw(scales)
    limit = 2 ** draw(st.sampled_from([4, 12, 20, 30]))
    bias = rng.integers(-limit, limit, shape.outputs).astype(np.int32) if draw(st.booleans()) else None
    # The factors that sums are multiplied with, from one that leaves nothing of them to one that just does not
    # overflow: beyond, TFLM's result is whatever its compiler made of it.
    taps = weights.size // shape.outputs
    factors = st.sampled_from([-40, -32, -31]) | st.integers(-12, -2) | st.floats(-16, -4) | st.floats(-4, 16)
    factor = min(2.0 ** draw(factors), 2**29 / (taps * 128 * 255 + limit))
    # Below 1e-6, RELU6 has its upper end beyond int32, and TFLM refuses the layer.
    output_scale = max(float(np.float32(input_scale * max(weight_scales) / factor)), 1e-6)
    target = (output_scale, draw(zero_points))
    model = int8_layer(shape, weights, bias, weight_scales, (input_scale, draw(zero_points)), target, draw(activations))
    return model, [int8_values(rng, shape.x, draw(fillings))]


@cases
@given(int8_layers(shapes()))
def test_int8_is_bit_exact(case: tuple[bytes, list[npt.NDArray[Any]]]) -> None:
    check_bit_exact(*case)


@cases
@given(seeds, shapes(), activations, st.booleans(), st.sampled_from([1.0, 1e-30, 1e30]))
def test_float32_is_bit_exact(seed: int, shape: Shape, activation: int, with_bias: bool, size: float) -> None:
    rng = np.random.default_rng(seed)
    tensors = [
        TensorSpec(shape.x, FLOAT32),
        TensorSpec(shape.weights, FLOAT32, data=rng.normal(0, 1, shape.weights).astype(np.float32)),
        TensorSpec([shape.outputs], FLOAT32, data=rng.normal(0, 1, shape.outputs).astype(np.float32)),
        TensorSpec(shape.y, FLOAT32),
    ]
    options = shape.options | {"FusedActivationFunction": activation}
    operator = OperatorSpec(shape.kind, [0, 1, 2] if with_bias else [0, 1], [3], options)
    x = rng.normal(0, size, shape.x).astype(np.float32)
    check_bit_exact(build(tensors, [operator], [0], [3]), [x])

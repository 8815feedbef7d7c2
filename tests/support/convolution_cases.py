"""Layers and networks of convolutions for tests of the compiler."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import assume
from hypothesis import strategies as st
from tflm_hil.compiler.graph.sliding_window import SAME, VALID
from tflm_hil.models.tflite_builder import OperatorSpec, TensorSpec, build

from support.kernel_cases import FLOAT32, INT8, INT32

CONV, DEPTHWISE = "CONV_2D", "DEPTHWISE_CONV_2D"


@dataclass(frozen=True)
class Shape:
    """The geometry of a layer."""

    kind: str
    x: tuple[int, int, int, int]
    weights: tuple[int, int, int, int]
    y: tuple[int, int, int, int]
    options: dict[str, int]

    @property
    def outputs(self) -> int:
        """The number of output channels."""
        return self.y[3]

    @property
    def taps(self) -> int:
        """The number of weights per output channel."""
        return int(np.prod(self.weights)) // self.outputs

    @property
    def output_dimension(self) -> int:
        """The dimension of the weights that belongs to output channels."""
        return 0 if self.kind == CONV else 3


def shape_of(
    kind: str,
    x: tuple[int, int, int],
    outputs: int,
    kernel: tuple[int, int],
    strides: tuple[int, int] = (1, 1),
    dilations: tuple[int, int] = (1, 1),
    padding: int = SAME,
    groups: int = 1,
) -> Shape | None:
    """A layer over an image `x` [height, width, channels]; None if the kernel is larger than the image."""
    sizes = []
    for axis in (0, 1):
        span = (kernel[axis] - 1) * dilations[axis] + 1
        steps = x[axis] if padding == SAME else x[axis] - span + 1
        if steps < 1:
            return None
        sizes.append(-(-steps // strides[axis]))
    options = {"Padding": padding, "StrideH": strides[0], "StrideW": strides[1]}
    options |= {"DilationHFactor": dilations[0], "DilationWFactor": dilations[1]}
    weights = (outputs, *kernel, x[2] // groups)
    if kind == DEPTHWISE:
        weights = (1, *kernel, outputs)
        options["DepthMultiplier"] = outputs // x[2]
    return Shape(kind, (1, *x), weights, (1, sizes[0], sizes[1], outputs), options)


pairs = st.tuples(st.integers(1, 3), st.integers(1, 3))
kernels = st.tuples(st.integers(1, 5), st.integers(1, 5))
dilations = st.sampled_from([(1, 1), (1, 1), (1, 1), (2, 1), (1, 3), (2, 2)])
some_groups = st.sampled_from([1, 1, 1, 2, 3])
few_channels = st.integers(1, 9)
paddings = st.sampled_from([SAME, VALID])


@st.composite
def convolutions(
    draw: st.DrawFn,
    groups: st.SearchStrategy[int] = some_groups,
    inputs: st.SearchStrategy[int] = few_channels,
) -> Shape:
    """CONV_2D."""
    count = draw(groups)
    x = (draw(st.integers(1, 12)), draw(st.integers(1, 12)), count * draw(inputs))
    outputs = count * draw(st.integers(1, 9))
    shape = shape_of(CONV, x, outputs, draw(kernels), draw(pairs), draw(dilations), draw(paddings), count)
    assume(shape is not None)
    assert shape is not None
    return shape


@st.composite
def depthwise(
    draw: st.DrawFn,
    kernels: st.SearchStrategy[tuple[int, int]] = kernels,
    dilations: st.SearchStrategy[tuple[int, int]] = dilations,
) -> Shape:
    """DEPTHWISE_CONV_2D."""
    x = (draw(st.integers(1, 12)), draw(st.integers(1, 12)), draw(st.integers(1, 9)))
    outputs = x[2] * draw(st.sampled_from([1, 1, 1, 2, 3]))
    shape = shape_of(DEPTHWISE, x, outputs, draw(kernels), draw(pairs), draw(dilations), draw(paddings))
    assume(shape is not None)
    assert shape is not None
    return shape


@st.composite
def series(draw: st.DrawFn) -> Shape:
    """CONV_2D over a row of pixels with few channels, mostly with dilation."""
    x = (1, draw(st.integers(1, 70)), draw(st.integers(1, 6)))
    outputs = draw(st.sampled_from([1, 2, 3, 4, 4, 8, 12]))
    kernel, dilation = (1, draw(st.integers(1, 5))), (1, draw(st.sampled_from([1, 2, 3, 4, 7])))
    shape = shape_of(CONV, x, outputs, kernel, (1, draw(st.sampled_from([1, 1, 1, 2]))), dilation, draw(paddings))
    assume(shape is not None)
    assert shape is not None
    return shape


shapes = convolutions() | depthwise()


@dataclass
class Network:
    """A network that is built layer by layer; methods take the index of the input and return that of the output."""

    tensors: list[TensorSpec] = field(default_factory=list)
    operators: list[OperatorSpec] = field(default_factory=list)

    def add(self, spec: TensorSpec) -> int:
        """Add a tensor; return its index."""
        self.tensors.append(spec)
        return len(self.tensors) - 1

    def image(self, shape: Sequence[int], scale: float = 0.5, zero_point: int = 0) -> int:
        """Add an int8 activation."""
        return self.add(TensorSpec(shape, INT8, [scale], [zero_point]))

    def operator(self, kind: str, inputs: list[int], output: int, options: dict[str, Any] | None = None) -> int:
        """Add an operator that computes the tensor `output`."""
        self.operators.append(OperatorSpec(kind, inputs, [output], options or {}))
        return output

    def convolution(
        self,
        x: int,
        shape: Shape,
        weights: npt.NDArray[np.int8],
        bias: npt.NDArray[np.int32] | None,
        scales: list[float],
        target: tuple[float, int],
        activation: int = 0,
    ) -> int:
        """Add a layer. `scales` are one or several for the weights; `target` is scale and zero point of the output."""
        bias_scales = [float(np.float32(self.tensors[x].scales[0]) * np.float32(scale)) for scale in scales]
        inputs = [
            x,
            self.add(TensorSpec(shape.weights, INT8, scales, data=weights, quantized_dimension=shape.output_dimension)),
        ]
        if bias is not None:
            inputs.append(self.add(TensorSpec([shape.outputs], INT32, bias_scales, data=bias)))
        options = shape.options | {"FusedActivationFunction": activation}
        return self.operator(shape.kind, inputs, self.image(shape.y, *target), options)

    def ordinary(self, x: int, shape: Shape, rng: np.random.Generator, activation: int = 0) -> int:
        """Add a layer as training makes it: random weights, one scale per channel, outputs that fill the range."""
        weights = np.clip(np.rint(rng.normal(0, 40, shape.weights)), -127, 127).astype(np.int8)
        bias = rng.integers(-3000, 3000, shape.outputs).astype(np.int32)
        scales = rng.uniform(0.005, 0.01, shape.outputs).tolist()
        zero_point = -128 if activation else int(rng.integers(-20, 20))
        source = float(self.tensors[x].scales[0])
        target = (source * 0.01 * 40 * 70 * shape.taps**0.5 / (100 if activation == 0 else 150), zero_point)
        return self.convolution(x, shape, weights, bias, scales, target, activation)

    def build(self, inputs: list[int], outputs: list[int]) -> bytes:
        """Return the bytes of the .tflite."""
        return build(self.tensors, self.operators, inputs, outputs)


# By kernel: the arguments of layer_of_halves() for a layer that it computes, apart from the exponent.
HALVES: dict[str, tuple[str, int, int]] = {
    "aot_conv_s8": (CONV, 17, 1),
    "aot_conv_s8_small": (CONV, 1, 1),
    "aot_depthwise_s8": (DEPTHWISE, 1, 1),
    "aot_depthwise_s8_3x3": (DEPTHWISE, 1, 3),
}


def layer_of_halves(kind: str, copies: int, kernel: int, exponent: int) -> tuple[bytes, tuple[int, ...]]:
    """A layer with many results that end in one half, from small weights times a power of two; its input shape.

    It has so many `copies` of each weight, in the middle of its `kernel`; the others are zero.
    """
    shape = shape_of(kind, (16, 16, 1) if kind == CONV else (8, 16, 2), 16 * copies, (kernel, kernel))
    assert shape is not None
    network = Network()
    x = network.image(shape.x)
    weights = np.zeros((16 * copies, kernel, kernel), np.int8)
    weights[:, kernel // 2, kernel // 2] = np.tile(np.arange(-8, 8), copies)
    weights = np.moveaxis(weights[..., None], 0, 3 if kind == DEPTHWISE else 0).reshape(shape.weights)
    y = network.convolution(x, shape, weights, None, [0.5], (0.25 * 2.0**-exponent, 3))
    return network.build([x], [y]), shape.x


def random_convolution(seed: int) -> bytes:
    """A layer with an odd geometry, sometimes followed by an ADD."""
    rng = np.random.default_rng(seed)
    shape = None
    while shape is None:
        image = (int(rng.integers(1, 10)), int(rng.integers(1, 10)), int(rng.integers(1, 20)))
        strides, padding = (int(rng.integers(1, 3)), int(rng.integers(1, 3))), int(rng.integers(0, 2))
        if seed % 2:
            outputs = image[2] * int(rng.integers(1, 3))
            kernel = (3, 3) if seed % 4 == 1 else (int(rng.integers(1, 7)), int(rng.integers(1, 7)))
            shape = shape_of(DEPTHWISE, image, outputs, kernel, strides, padding=padding)
        else:
            kernel = (int(rng.integers(1, 4)), int(rng.integers(1, 4)))
            dilation = int(rng.choice([1, 1, 2]))
            outputs = int(rng.integers(1, 12))
            shape = shape_of(CONV, image, outputs, kernel, strides, (dilation, dilation), padding)
    network = Network()
    x = network.image(shape.x, 0.5, int(rng.integers(-128, 128)))
    y = network.ordinary(x, shape, rng, int(rng.integers(0, 4)))
    if seed % 4 == 0 and shape.x == shape.y:
        y = network.operator("ADD", [x, y], network.image(shape.y, float(network.tensors[y].scales[0])))
    return network.build([x], [y])


def random_small_convolution(seed: int) -> bytes:
    """A layer with few inputs in a window: of an image, or of a series, which may be dilated."""
    rng = np.random.default_rng(seed)
    shape = None
    while shape is None:
        channels, outputs = int(rng.integers(1, 4)), int(rng.choice([1, 2, 3, 4, 4, 8]))
        if seed % 3 == 0:
            image, kernel = (1, int(rng.integers(4, 160)), channels), (1, int(rng.integers(2, 6)))
            strides, dilations = (1, int(rng.choice([1, 1, 2]))), (1, int(rng.choice([1, 2, 3, 7])))
        else:
            image, kernel = (*rng.integers(4, 14, 2).tolist(), channels), tuple(rng.integers(1, 4, 2).tolist())
            strides, dilations = tuple(rng.integers(1, 3, 2).tolist()), (int(rng.choice([1, 1, 2])), 1)
        shape = shape_of(CONV, image, outputs, kernel, strides, dilations, int(rng.integers(0, 3) == 0))
    network = Network()
    x = network.image(shape.x, 0.5, int(rng.integers(-128, 128)))
    return network.build([x], [network.ordinary(x, shape, rng, int(rng.integers(0, 4)))])


def random_float_convolution(seed: int) -> bytes:
    """A float32 layer with an odd geometry: groups, dilations, multipliers, any number of outputs."""
    rng = np.random.default_rng(seed)
    shape = None
    while shape is None:
        height, width, inputs = rng.integers([1, 1, 1], [8, 12, 10]).tolist()
        kernel = int(rng.integers(1, 4)), int(rng.integers(1, 6))
        strides = int(rng.integers(1, 3)), int(rng.integers(1, 3))
        dilations = int(rng.integers(1, 3)), int(rng.choice([1, 1, 2, 3]))
        padding = int(rng.integers(0, 2))
        if seed % 3 == 0:
            image, outputs, groups = (height, width, inputs), inputs * int(rng.integers(1, 4)), 1
        else:
            groups, inputs = (1, 1) if seed % 3 == 1 else (int(rng.choice([1, 1, 2])), inputs)
            image, outputs = (height, width, groups * inputs), groups * int(rng.integers(1, 10))
        kind = CONV if seed % 3 else DEPTHWISE
        shape = shape_of(kind, image, outputs, kernel, strides, dilations, padding, groups)
    return float_layer(shape, rng, int(rng.integers(0, 4)))


def float_layer(shape: Shape, rng: np.random.Generator, activation: int = 0) -> bytes:
    """A network of one float32 layer with random weights and biases."""
    tensors = [
        TensorSpec(shape.x, FLOAT32),
        TensorSpec(shape.weights, FLOAT32, data=rng.normal(0, 1, shape.weights).astype(np.float32)),
        TensorSpec([shape.outputs], FLOAT32, data=rng.normal(0, 1, shape.outputs).astype(np.float32)),
        TensorSpec(shape.y, FLOAT32),
    ]
    options = shape.options | {"FusedActivationFunction": activation}
    return build(tensors, [OperatorSpec(shape.kind, [0, 1, 2], [3], options)], [0], [3])


def residual_network(height: int = 9, width: int = 7, middle: int = 6) -> bytes:
    """A small residual network with odd sizes, dead channels and a depthwise layer that can work in place."""
    rng = np.random.default_rng(17)
    network = Network()
    x = network.image((1, height, width, 3))

    def layer(kind: str, source: int, outputs: int, kernel: int, stride: int = 1, activation: int = 1) -> int:
        image = network.tensors[source].shape
        shape = shape_of(kind, (image[1], image[2], image[3]), outputs, (kernel, kernel), (stride, stride))
        assert shape is not None
        return network.ordinary(source, shape, rng, activation)

    first = layer(CONV, x, middle, 3)
    network.tensors[first - 1].data[1] = -(2**29)  # a bias that no input can outweigh
    wide = layer(DEPTHWISE, first, middle, 3)
    narrow = layer(CONV, wide, middle, 1, activation=0)
    total = network.operator("ADD", [first, narrow], network.image(network.tensors[first].shape, 3.0, -128))
    network.operators[-1].options["FusedActivationFunction"] = 1
    smaller = layer(DEPTHWISE, total, 2 * middle, 3, stride=2)
    last = layer(CONV, smaller, 5, 2, stride=2, activation=3)
    return network.build([x], [total, last])

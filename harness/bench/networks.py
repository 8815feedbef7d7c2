"""The bench's set: small networks of many shapes, made anew from fixed seeds, each with the work that it does."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from harness.models.tflite_builder import OperatorSpec, TensorSpec, build
from harness.models.tflite_file import TensorType

FLOAT32, INT8, INT32 = TensorType.FLOAT32, TensorType.INT8, TensorType.INT32
TYPES = {FLOAT32: "f32", INT8: "s8"}
SAME = 0
RELU = 1

# Goals, in instructions on a Cortex-M4F.
FLOAT_CONVOLUTION, FLOAT_CONVOLUTION_FEW, FEW = 6.0, 10.0, 16
INT8_CONVOLUTION = 3.0
INT8_SUM = 12.0


@dataclass(frozen=True)
class BenchNetwork:
    """A .tflite and its `work`: so many multiply-accumulates or elements, as `unit` says, in one inference.

    `most` is the goal: instructions a unit, with the aot engine.
    """

    name: str
    content: bytes
    work: int
    unit: str
    most: float | None = None


@dataclass
class _Network:
    """A network that grows operator by operator; all activations have `kind`."""

    kind: TensorType
    seed: int
    tensors: list[TensorSpec] = field(default_factory=list)
    operators: list[OperatorSpec] = field(default_factory=list)
    macs: int = 0

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)

    def activation(self, shape: Sequence[int], scale: float = 0.05, zero_point: int = 3) -> int:
        quantised = self.kind is INT8
        return self._add(TensorSpec(shape, self.kind, [scale] if quantised else (), [zero_point] if quantised else ()))

    def constant(self, values: Any) -> int:
        kind = INT32 if values.dtype == np.int32 else FLOAT32
        return self._add(TensorSpec(values.shape, kind, data=values))

    def operator(
        self, kind: str, inputs: Sequence[int], shape: Sequence[int], options: dict[str, Any] | None = None
    ) -> int:
        """The output of one more operator, quantised like its first input."""
        source = self.tensors[inputs[0]]
        y = self.activation(shape, *((source.scales[0], source.zero_points[0]) if source.scales else ()))
        self.operators.append(OperatorSpec(kind, inputs, [y], options or {}))
        return y

    def convolution(
        self,
        x: int,
        outputs: int,
        kernel: tuple[int, int],
        stride: int = 1,
        dilation: tuple[int, int] = (1, 1),
        multiplier: int = 0,
    ) -> int:
        """CONV_2D, or with a `multiplier` DEPTHWISE_CONV_2D, with SAME padding and a fused RELU."""
        _, height, width, channels = self.tensors[x].shape
        shape = (1, -(-height // stride) if height > 1 else 1, -(-width // stride), outputs)
        weights = (1, *kernel, outputs) if multiplier else (outputs, *kernel, channels)
        options = {"Padding": SAME, "StrideH": stride, "StrideW": stride, "FusedActivationFunction": RELU}
        options |= {"DilationHFactor": dilation[0], "DilationWFactor": dilation[1]}
        if multiplier:
            options["DepthMultiplier"] = multiplier
        taps = math.prod(kernel) * (1 if multiplier else channels)
        self.macs += math.prod(shape) * taps
        inputs = [x, *self._weights(weights, outputs, taps, 3 if multiplier else 0)]
        return self.operator("DEPTHWISE_CONV_2D" if multiplier else "CONV_2D", inputs, shape, options)

    def dense(self, x: int, outputs: int) -> int:
        """FULLY_CONNECTED."""
        columns = math.prod(self.tensors[x].shape)
        self.macs += columns * outputs
        return self.operator(
            "FULLY_CONNECTED", [x, *self._weights((outputs, columns), outputs, columns, 0)], (1, outputs)
        )

    def build(self, inputs: Sequence[int], output: int) -> bytes:
        return build(self.tensors, self.operators, inputs, [output])

    def _weights(self, shape: Sequence[int], outputs: int, taps: int, dimension: int) -> tuple[int, int]:
        """Weights and biases that keep the activations' range."""
        values = self.rng.normal(0, taps**-0.5, shape)
        bias = self.rng.normal(0, 0.1, outputs)
        if self.kind is FLOAT32:
            return self.constant(values.astype(np.float32)), self.constant(bias.astype(np.float32))
        other = tuple(axis for axis in range(len(shape)) if axis != dimension)
        scales = (np.abs(values).max(axis=other) / 127).astype(np.float32)
        axes = [1] * len(shape)
        axes[dimension] = outputs
        stored = np.rint(values / scales.reshape(axes)).astype(np.int8)
        weights = TensorSpec(shape, INT8, scales.tolist(), data=stored, quantized_dimension=dimension)
        bias_scales = (scales * np.float32(0.05)).astype(np.float32)
        biases = TensorSpec((outputs,), INT32, bias_scales.tolist(), data=np.rint(bias / bias_scales).astype(np.int32))
        return self._add(weights), self._add(biases)

    def _add(self, spec: TensorSpec) -> int:
        self.tensors.append(spec)
        return len(self.tensors) - 1


# Height and width, input and output channels, kernel, stride, dilation.
CONVOLUTIONS = [
    (8, 8, 1, 1, 3, 1, 1),
    (8, 8, 1, 8, 3, 1, 1),
    (8, 8, 2, 2, 3, 1, 1),
    (8, 8, 3, 8, 3, 2, 1),
    (8, 8, 6, 5, 5, 1, 1),
    (8, 8, 8, 16, 3, 1, 1),
    (8, 8, 16, 16, 3, 1, 1),
    (8, 8, 16, 2, 1, 1, 1),
    (8, 8, 32, 32, 1, 1, 1),
    (1, 32, 1, 8, 5, 1, 1),
    (1, 32, 3, 8, 3, 1, 1),
    (1, 32, 6, 8, 5, 1, 2),
    (1, 32, 16, 16, 3, 2, 1),
]
# Height and width, channels, multiplier, kernel, stride.
DEPTHWISE = [(8, 8, 2, 1, 3, 1), (8, 8, 3, 2, 3, 1), (8, 8, 8, 1, 3, 1), (8, 8, 16, 1, 5, 2), (1, 32, 6, 1, 3, 1)]
DENSE = [(8, 2), (64, 10), (180, 50)]
IMAGE = (1, 8, 8, 8)


def bench_networks() -> Iterator[BenchNetwork]:
    """All networks of the set."""
    for kind in TYPES:
        yield from _convolutions(kind)
        yield from _depthwise(kind)
        yield from _dense(kind)
        yield from _element_by_element(kind)
        yield from _pooling(kind)
        yield _small_cnn(kind)
        yield _residual(kind)


def _few(kind: TensorType, channels: int) -> float:
    if kind is INT8:
        return INT8_CONVOLUTION
    return FLOAT_CONVOLUTION_FEW if channels < FEW else FLOAT_CONVOLUTION


def _convolutions(kind: TensorType) -> Iterator[BenchNetwork]:
    for height, width, channels, outputs, size, stride, dilation in CONVOLUTIONS:
        network = _Network(kind, seed=1)
        x = network.activation((1, height, width, channels))
        flat = height == 1
        kernel, dilations = ((1, size), (1, dilation)) if flat else ((size, size), (dilation, dilation))
        y = network.convolution(x, outputs, kernel, stride, dilations)
        name = f"conv_{TYPES[kind]}_{'1d_' if flat else ''}{channels}to{outputs}_k{size}"
        name += f"_s{stride}" * (stride > 1) + f"_d{dilation}" * (dilation > 1)
        yield BenchNetwork(name, network.build([x], y), network.macs, "MAC", _few(kind, channels))


def _depthwise(kind: TensorType) -> Iterator[BenchNetwork]:
    for height, width, channels, multiplier, size, stride in DEPTHWISE:
        network = _Network(kind, seed=2)
        x = network.activation((1, height, width, channels))
        kernel = (1, size) if height == 1 else (size, size)
        y = network.convolution(x, channels * multiplier, kernel, stride, multiplier=multiplier)
        name = f"depthwise_{TYPES[kind]}_{'1d_' if height == 1 else ''}{channels}x{multiplier}_k{size}"
        yield BenchNetwork(name + f"_s{stride}" * (stride > 1), network.build([x], y), network.macs, "MAC")


def _dense(kind: TensorType) -> Iterator[BenchNetwork]:
    for columns, rows in DENSE:
        network = _Network(kind, seed=3)
        x = network.activation((1, columns))
        y = network.dense(x, rows)
        yield BenchNetwork(f"dense_{TYPES[kind]}_{columns}to{rows}", network.build([x], y), network.macs, "MAC")


def _element_by_element(kind: TensorType) -> Iterator[BenchNetwork]:
    elements = math.prod(IMAGE)
    for operator in ("ADD", "MUL"):
        network = _Network(kind, seed=4)
        inputs = [network.activation(IMAGE), network.activation(IMAGE, 0.04, -5)]
        content = network.build(inputs, network.operator(operator, inputs, IMAGE))
        most = INT8_SUM if kind is INT8 and operator == "ADD" else None
        yield BenchNetwork(f"{operator.lower()}_{TYPES[kind]}", content, elements, "element", most)
    network = _Network(kind, seed=5)
    inputs = [network.activation((1, 8, 8, 3)), network.activation((1, 8, 8, 5))]
    y = network.operator("CONCATENATION", inputs, IMAGE, {"Axis": 3})
    yield BenchNetwork(f"concatenation_{TYPES[kind]}", network.build(inputs, y), elements, "element")
    network = _Network(kind, seed=6)
    x = network.activation(IMAGE)
    yield BenchNetwork(
        f"relu_{TYPES[kind]}", network.build([x], network.operator("RELU", [x], IMAGE)), elements, "element"
    )


def _pooling(kind: TensorType) -> Iterator[BenchNetwork]:
    elements = math.prod(IMAGE)
    options = {"FilterHeight": 2, "FilterWidth": 2, "StrideH": 2, "StrideW": 2, "Padding": SAME}
    for operator in ("AVERAGE_POOL_2D", "MAX_POOL_2D"):
        network = _Network(kind, seed=7)
        x = network.activation(IMAGE)
        y = network.operator(operator, [x], (1, 4, 4, 8), options)
        name = f"{operator.removesuffix('_2D').lower()}_{TYPES[kind]}"
        yield BenchNetwork(name, network.build([x], y), elements, "element")
    network = _Network(kind, seed=8)
    x = network.activation(IMAGE)
    axes = network.constant(np.array([1, 2], np.int32))
    y = network.operator("MEAN", [x, axes], (1, 8))
    yield BenchNetwork(f"mean_{TYPES[kind]}", network.build([x], y), elements, "element")


def _small_cnn(kind: TensorType) -> BenchNetwork:
    """Convolutions with strides, a depthwise one between them, the mean over the image and a classifier."""
    network = _Network(kind, seed=9)
    x = network.activation((1, 16, 16, 3))
    y = network.convolution(x, 8, (3, 3), 2)
    y = network.convolution(y, 8, (3, 3), multiplier=1)
    y = network.convolution(y, 16, (1, 1))
    y = network.convolution(y, 16, (3, 3), 2)
    axes = network.constant(np.array([1, 2], np.int32))
    y = network.dense(network.operator("MEAN", [y, axes], (1, 16)), 4)
    return BenchNetwork(f"small_cnn_{TYPES[kind]}", network.build([x], y), network.macs, "MAC")


def _residual(kind: TensorType) -> BenchNetwork:
    """A sum of a convolution's input and what two convolutions make of it."""
    network = _Network(kind, seed=10)
    x = network.activation(IMAGE)
    first = network.convolution(x, 8, (3, 3))
    second = network.convolution(network.convolution(first, 8, (3, 3)), 8, (3, 3))
    y = network.operator("ADD", [first, second], IMAGE)
    return BenchNetwork(f"residual_{TYPES[kind]}", network.build([x], y), network.macs, "MAC")

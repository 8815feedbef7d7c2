"""Random small networks with all operators of the aot engine, for int8 or float32."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from tflm_hil.models.tflite_builder import OperatorSpec, TensorSpec, build
from tflm_hil.models.tflite_file import TensorType

FLOAT32, INT8, INT16, INT32, UINT8 = (
    TensorType.FLOAT32,
    TensorType.INT8,
    TensorType.INT16,
    TensorType.INT32,
    TensorType.UINT8,
)
LARGEST = 400  # elements of a tensor that operators read: the smallest core has 16 KiB


class RandomNetwork:
    """Grows operator by operator, each on a random existing tensor; `bytes` is the .tflite.

    Quantizations roughly follow the ranges, so that neither all values saturate nor all are zero. float32 networks have
    no operators whose results depend on the C library, so they can be compared bit for bit.
    """

    def __init__(self, seed: int, kind: TensorType, operators: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.kind = kind
        self.tensors: list[TensorSpec] = []
        self.operators: list[OperatorSpec] = []
        self.inputs = [self._activation(self._image(), self._scale()) for _ in range(int(self.rng.integers(1, 4)))]
        self.live = list(self.inputs)
        growers = [*BOTH, *(INT8_ONLY if kind is INT8 else [])]
        while len(self.operators) < operators:
            grow = growers[self.rng.integers(len(growers))]
            grow(self, int(self.rng.choice(self.live)))
        used = {index for operator in self.operators for index in operator.inputs}
        # All tensors that nothing reads, and the last one.
        outputs = {index for index in self.live if index not in used} | {self.live[-1]}
        self.outputs = sorted(outputs - set(self.inputs) | {self.live[-1]})
        self.bytes = build(self.tensors, self.operators, self.inputs, self.outputs)

    def values(self, seed: int) -> list[npt.NDArray[Any]]:
        """Return random inputs; every fourth seed gives only extremes."""
        rng = np.random.default_rng(seed)
        values: list[npt.NDArray[Any]] = []
        for index in self.inputs:
            shape = self.tensors[index].shape
            if self.kind is FLOAT32:
                values.append(rng.normal(0, 2, shape).astype(np.float32))
            else:
                choices = [-128, 127] if seed % 4 == 3 else range(-128, 128)
                values.append(rng.choice(np.array(choices, np.int8), shape))
        return values

    def _image(self) -> list[int]:
        return [1, *(int(size) for size in self.rng.integers(2, 7, 2)), int(self.rng.integers(1, 6))]

    def _scale(self) -> float:
        return float(self.rng.uniform(0.01, 0.2))

    def _activation(
        self, shape: Sequence[int], scale: float, zero_point: int | None = None, kind: TensorType | None = None
    ) -> int:
        """Add a tensor, in float32 without quantization; return its index."""
        kind = self.kind if kind is None else kind
        zero = int(self.rng.integers(-128, 128)) if zero_point is None else zero_point
        quantization = ([], []) if kind is FLOAT32 else ([scale], [zero])
        self.tensors.append(TensorSpec(list(shape), kind, *quantization, name=f"t{len(self.tensors)}"))
        return len(self.tensors) - 1

    def _integers(self, content: Any) -> int:
        data = np.array(content, np.int32)
        self.tensors.append(TensorSpec(list(data.shape), INT32, data=data))
        return len(self.tensors) - 1

    def _constant(self, shape: Sequence[int], scale: float = 0.05, symmetric: bool = False) -> int:
        """Add a constant, which an operator reads as weights or as an operand."""
        index = self._activation(shape, scale, 0 if symmetric else None)
        if self.kind is FLOAT32:
            self.tensors[index].data = self.rng.normal(0, 1, shape).astype(np.float32)
        else:
            self.tensors[index].data = self.rng.integers(-127, 128, shape).astype(np.int8)
        return index

    def _bias(self, count: int, scale: float) -> int:
        if self.kind is FLOAT32:
            return self._constant([count])
        data = self.rng.integers(-2000, 2000, count).astype(np.int32)
        self.tensors.append(TensorSpec([count], INT32, [scale], data=data))
        return len(self.tensors) - 1

    def _add(self, kind: str, inputs: Sequence[int], *outputs: int, **options: Any) -> int:
        self.operators.append(OperatorSpec(kind, list(inputs), list(outputs), options))
        self.live.extend(
            output
            for output in outputs
            if self.tensors[output].type is self.kind and np.prod(self.shape(output)) <= LARGEST
        )
        return outputs[0]

    def _quantization(self, x: int) -> tuple[float, int]:
        spec = self.tensors[x]
        return (float(spec.scales[0]), spec.zero_points[0]) if len(spec.scales) else (1.0, 0)

    def _alike(self, x: int, shape: Sequence[int]) -> int:
        """Add a tensor with the quantization of x."""
        return self._activation(shape, *self._quantization(x))

    def shape(self, x: int) -> list[int]:
        return list(self.tensors[x].shape)

    def coin(self) -> bool:
        return bool(self.rng.integers(2))


def binary(net: RandomNetwork, x: int) -> None:
    shape = net.shape(x)
    fitting = [t for t in net.live if _together(net.shape(t), shape) is not None]
    other = int(net.rng.choice(fitting)) if net.coin() else net._constant([s if net.coin() else 1 for s in shape])
    pair = [x, other] if net.coin() else [other, x]
    result = _together(*map(net.shape, pair))
    assert result is not None
    kind = str(net.rng.choice(["ADD", "SUB", "MUL"]))
    scales = [net._quantization(t)[0] for t in pair]
    scale = scales[0] * scales[1] * 60 if kind == "MUL" else max(scales) * 1.5
    activation = int(net.rng.integers(4))
    net._add(kind, pair, net._activation(result, scale), FusedActivationFunction=activation)


def _together(a: Sequence[int], b: Sequence[int]) -> list[int] | None:
    try:
        shape = list(np.broadcast_shapes(tuple(a), tuple(b)))
    except ValueError:
        return None
    return shape if np.prod(shape) <= LARGEST else None


def relu(net: RandomNetwork, x: int) -> None:
    scale = net._quantization(x)[0]
    net._add("RELU", [x], net._activation(net.shape(x), scale * float(net.rng.uniform(0.4, 1.2))))
    net._add("RELU6", [x], net._alike(x, net.shape(x)))


def leaky_relu(net: RandomNetwork, x: int) -> None:
    net._add("LEAKY_RELU", [x], net._activation(net.shape(x), net._quantization(x)[0]), Alpha=0.3)


def prelu(net: RandomNetwork, x: int) -> None:
    shape = net.shape(x)
    alpha = net._constant([size if net.coin() else 1 for size in shape], 0.002)
    if len(shape) <= 4:
        net._add("PRELU", [x, alpha], net._activation(shape, net._quantization(x)[0]))


def hard_swish(net: RandomNetwork, x: int) -> None:
    net._add("HARD_SWISH", [x], net._activation(net.shape(x), net._quantization(x)[0]))


def sigmoids(net: RandomNetwork, x: int) -> None:
    net._add("LOGISTIC", [x], net._activation(net.shape(x), 1 / 256, -128))
    net._add("ELU", [x], net._activation(net.shape(x), net._quantization(x)[0]))
    net._add("TANH", [x], net._activation(net.shape(x), 1 / 128, 0))
    if net.shape(x):
        net._add("SOFTMAX", [x], net._activation(net.shape(x), 1 / 256, -128), Beta=1.0)


def requantize(net: RandomNetwork, x: int) -> None:
    scale, zero_point = net._quantization(x)
    wide = net._add("QUANTIZE", [x], net._activation(net.shape(x), scale / 256, 5, INT16))
    net._add("QUANTIZE", [wide], net._activation(net.shape(x), scale * 1.3))
    moved = net._add("QUANTIZE", [x], net._activation(net.shape(x), scale, zero_point + 128, UINT8))
    net._add("QUANTIZE", [moved], net._activation(net.shape(x), scale * 1.1))
    real = net._add("DEQUANTIZE", [x], net._activation(net.shape(x), 0, kind=FLOAT32))
    net._add("QUANTIZE", [real], net._activation(net.shape(x), scale * 0.9))


def pool(net: RandomNetwork, x: int) -> None:
    shape = net.shape(x)
    if len(shape) != 4 or shape[0] != 1:
        return
    filters = [int(net.rng.integers(1, min(size, 4) + 1)) for size in shape[1:3]]
    strides = [int(stride) for stride in net.rng.integers(1, 3, 2)]
    same = net.coin()
    sizes = [
        len(range(0, size if same else size - width + 1, stride))
        for size, width, stride in zip(shape[1:3], filters, strides, strict=True)
    ]
    options = {
        "Padding": 0 if same else 1,
        "FilterHeight": filters[0],
        "FilterWidth": filters[1],
        "StrideH": strides[0],
        "StrideW": strides[1],
        "FusedActivationFunction": int(net.rng.integers(4)),
    }
    for kind in ("AVERAGE_POOL_2D", "MAX_POOL_2D"):
        net._add(kind, [x], net._alike(x, [1, *sizes, shape[3]]), **options)


def convolution(net: RandomNetwork, x: int) -> None:
    shape = net.shape(x)
    if len(shape) != 4 or shape[0] != 1:
        return
    size = [int(n) for n in net.rng.integers(1, 4, 2)]
    options = {"Padding": 0, "StrideH": 1, "StrideW": 1, "FusedActivationFunction": int(net.rng.integers(4))}
    options |= {"DilationHFactor": 1, "DilationWFactor": 1}
    scale = net._quantization(x)[0]
    outputs = int(net.rng.integers(1, 6))
    if net.coin():
        inputs = [x, net._constant([outputs, *size, shape[3]], 0.01, True), net._bias(outputs, scale * 0.01)]
        net._add("CONV_2D", inputs, net._activation([*shape[:3], outputs], scale), **options)
    else:
        inputs = [x, net._constant([1, *size, shape[3]], 0.01, True), net._bias(shape[3], scale * 0.01)]
        net._add("DEPTHWISE_CONV_2D", inputs, net._activation(shape, scale), DepthMultiplier=1, **options)


def dense(net: RandomNetwork, x: int) -> None:
    shape = net.shape(x)
    if len(shape) < 2:
        return
    rows, columns = int(net.rng.integers(1, 9)), shape[-1]
    scale = net._quantization(x)[0]
    inputs = [x, net._constant([rows, columns], 0.01, True), net._bias(rows, scale * 0.01)]
    y = net._activation([int(np.prod(shape[:-1])), rows], scale)
    net._add("FULLY_CONNECTED", inputs, y, FusedActivationFunction=int(net.rng.integers(4)))


def mean(net: RandomNetwork, x: int) -> None:
    shape = net.shape(x)
    if not shape:
        return
    axes = sorted(net.rng.choice(len(shape), int(net.rng.integers(1, len(shape) + 1)), replace=False).tolist())
    keep = net.coin()
    reduced = [1 if i in axes else size for i, size in enumerate(shape) if keep or i not in axes]
    y = net._activation(reduced, net._quantization(x)[0] * 0.7)
    net._add("MEAN", [x, net._integers(axes)], y, KeepDims=keep)


def pad(net: RandomNetwork, x: int) -> None:
    shape = net.shape(x)
    paddings = net.rng.integers(0, 2, (len(shape), 2)).tolist()
    if len(shape) > 4 or not shape:
        return
    paddings[0] = [0, 0]
    padded = [size + sum(pair) for size, pair in zip(shape, paddings, strict=True)]
    if np.prod(padded) <= LARGEST:
        net._add("PAD", [x, net._integers(paddings)], net._alike(x, padded))


def concatenation(net: RandomNetwork, x: int) -> None:
    shape = net.shape(x)
    alike = [t for t in net.live if net.shape(t) == shape and net._quantization(t) == net._quantization(x)]
    others = [int(t) for t in net.rng.choice(alike, int(net.rng.integers(1, 3)))]
    if not shape or np.prod(shape) * (1 + len(others)) > LARGEST:
        return
    axis = int(net.rng.integers(1 if len(shape) > 1 else 0, len(shape)))
    joined = [size * (1 + len(others)) if i == axis else size for i, size in enumerate(shape)]
    net._add("CONCATENATION", [x, *others], net._alike(x, joined), Axis=axis)


def split(net: RandomNetwork, x: int) -> None:
    shape = net.shape(x)
    if not 1 <= len(shape) <= 4:
        return
    axis = int(net.rng.integers(len(shape)))
    before, size, after = shape[:axis], shape[axis], shape[axis + 1 :]
    counts = [count for count in range(1, 5) if size % count == 0]
    count = int(net.rng.choice(counts))
    parts = [net._alike(x, [*before, size // count, *after]) for _ in range(count)]
    net._add("SPLIT", [net._integers([axis]), x], *parts, NumSplits=count)
    if size > 1:
        first = int(net.rng.integers(1, size))
        parts = [net._alike(x, [*before, part, *after]) for part in (first, size - first)]
        net._add("SPLIT_V", [x, net._integers([first, -1]), net._integers([axis])], *parts, NumSplits=2)
    if size <= 4:
        net._add("UNPACK", [x], *(net._alike(x, [*before, *after]) for _ in range(size)), Axis=axis, Num=size)


def reshape(net: RandomNetwork, x: int) -> None:
    shape = net.shape(x)
    flat = [1, int(np.prod(shape))]
    longer = [*shape[:1], 1, *shape[1:]]
    net._add("RESHAPE", [x, net._integers(flat)], net._alike(x, flat))
    if 1 <= len(shape) <= 4:
        net._add("EXPAND_DIMS", [x, net._integers([1])], net._alike(x, longer))
    squeezed = [size for size in shape if size > 1]
    if squeezed:
        net._add("SQUEEZE", [x], net._alike(x, squeezed))


def transpose(net: RandomNetwork, x: int) -> None:
    shape = net.shape(x)
    if 1 <= len(shape) <= 5:
        order = [0, *(1 + net.rng.permutation(len(shape) - 1)).tolist()]
        net._add("TRANSPOSE", [x, net._integers(order)], net._alike(x, [shape[i] for i in order]))


def strided_slice(net: RandomNetwork, x: int) -> None:
    shape = net.shape(x)
    if not 1 <= len(shape) <= 4:
        return
    strides = net.rng.choice([1, 1, 2, -1], len(shape)).tolist()
    begin = [
        size - 1 if stride < 0 else int(net.rng.integers(size)) for size, stride in zip(shape, strides, strict=True)
    ]
    ranges = [range(size)[first::stride] for size, first, stride in zip(shape, begin, strides, strict=True)]
    mask = 2 ** len(shape) - 1
    constants = [net._integers(begin), net._integers(shape), net._integers(strides)]
    y = net._alike(x, [len(r) for r in ranges])
    net._add("STRIDED_SLICE", [x, *constants], y, EndMask=mask)


Grow = Callable[[RandomNetwork, int], None]
BOTH: list[Grow] = [
    binary,
    binary,
    relu,
    leaky_relu,
    prelu,
    hard_swish,
    pool,
    convolution,
    dense,
    mean,
    pad,
    concatenation,
    split,
    reshape,
    transpose,
    strided_slice,
]
INT8_ONLY: list[Grow] = [sigmoids, requantize]

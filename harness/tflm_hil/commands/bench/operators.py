"""The bench's networks of a single operator: each that the engines have, in every type that it takes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from tflm_hil.commands.bench.network import FLOAT32, INT8, INT16, TYPES, UINT8, BenchNetwork, GrowingNetwork
from tflm_hil.models.tflite_file import TensorType

IMAGE = (1, 8, 8, 8)
ALL = (FLOAT32, INT8, INT16)
BYTES = (FLOAT32, INT8)

# Goals, in instructions an element on a Cortex-M4F.
INT8_SUM = 12.0
INT8_TABLE = 6.0

# The quantization that an operator's output must have, where it is not that of its input.
OUTPUTS = {
    ("LOGISTIC", INT8): (1 / 256, -128),
    ("SOFTMAX", INT8): (1 / 256, -128),
    ("TANH", INT8): (1 / 128, 0),
    ("LOGISTIC", INT16): (2.0**-15, 0),
    ("SOFTMAX", INT16): (2.0**-15, 0),
    ("TANH", INT16): (2.0**-15, 0),
}
# Of one input: types, options, goal of int8.
UNARY: dict[str, tuple[Sequence[TensorType], dict[str, Any], float | None]] = {
    "RELU": (BYTES, {}, INT8_TABLE),
    "RELU6": (BYTES, {}, INT8_TABLE),
    "LEAKY_RELU": (BYTES, {"Alpha": 0.1}, INT8_TABLE),
    "ELU": (BYTES, {}, INT8_TABLE),
    "HARD_SWISH": (BYTES, {}, INT8_TABLE),
    "LOGISTIC": (ALL, {}, INT8_TABLE),
    "TANH": (ALL, {}, INT8_TABLE),
}
# Of two inputs.
BINARY = {"ADD": ALL, "SUB": ALL, "MUL": ALL, "MAXIMUM": BYTES, "MINIMUM": BYTES, "PRELU": BYTES}
# The shapes of the second input, by suffix; by default an image.
SECOND: dict[str, dict[str, Sequence[int]]] = {
    "ADD": {"": IMAGE, "_channels": (8,), "_pixels": (1, 8, 8, 1)},
    "PRELU": {"": (8,)},
}
# The dimensions that are reduced.
REDUCED = {"": (1, 2), "_channels": (3,)}
# Channels, window, stride, padding.
POOLS = {"": (8, 2, 2, 0), "_1_3x3": (1, 3, 1, 0), "_3_3x3": (3, 3, 1, 0), "_global": (8, 8, 1, 1)}
# Rows and columns.
SOFTMAX = ((1, 10), (64, 4))
ZERO_POINTS = {INT8: -5, UINT8: 123}
# From and to.
QUANTIZE = [
    (FLOAT32, INT8),
    (FLOAT32, INT16),
    (INT8, INT8),
    (INT8, INT16),
    (INT16, INT8),
    (INT16, INT16),
    (INT8, UINT8),
]
DEQUANTIZE = [(INT8, FLOAT32), (UINT8, FLOAT32), (INT16, FLOAT32)]


def operator_networks() -> Iterator[BenchNetwork]:
    """All of them."""
    for kind in ALL:
        yield from _unary(kind)
        yield from _binary(kind)
        yield from _reductions(kind)
        yield from _pooling(kind)
        yield from _softmax(kind)
        yield from _movers(kind)
    yield from _conversions()


def _single(
    operator: str,
    kind: TensorType,
    suffix: str,
    shapes: Sequence[Sequence[int]],
    constants: Sequence[Any],
    shape: Sequence[int],
    options: dict[str, Any],
    most: float | None = None,
    outputs: int = 1,
) -> BenchNetwork:
    """A network of one operator with inputs of `shapes`, then `constants`. The work is its larger side, in elements."""
    network = GrowingNetwork(kind, seed=4)
    # An operator that computes with two inputs meets two scales, as in a trained network.
    scales = [(0.05, 3), (0.04, -5)] if operator in ("ADD", "SUB", "MUL") else [(0.05, 3)] * len(shapes)
    inputs = [network.activation(x, *scale) for x, scale in zip(shapes, scales, strict=True)]
    y = network.operator(
        operator,
        [*inputs, *map(network.constant, constants)],
        shape,
        options,
        OUTPUTS.get((operator, kind)),
        outputs,
    )
    elements = max(math.prod(shape), *(math.prod(x) for x in shapes))
    name = f"{operator.removesuffix('_2D').lower()}_{TYPES[kind]}{suffix}"
    return BenchNetwork(name, network.build(inputs, y), elements, "element", most)


def _unary(kind: TensorType) -> Iterator[BenchNetwork]:
    for operator, (kinds, options, most) in UNARY.items():
        if kind in kinds:
            yield _single(operator, kind, "", [IMAGE], [], IMAGE, options, most if kind is INT8 else None)


def _binary(kind: TensorType) -> Iterator[BenchNetwork]:
    for operator, kinds in BINARY.items():
        if kind in kinds:
            for suffix, second in SECOND.get(operator, {"": IMAGE}).items():
                most = INT8_SUM if kind is INT8 and operator == "ADD" and not suffix else None
                yield _single(operator, kind, suffix, [IMAGE, second], [], IMAGE, {}, most)


def _reductions(kind: TensorType) -> Iterator[BenchNetwork]:
    operators = ("MEAN",) if kind is INT16 else ("MEAN", "REDUCE_MAX")
    for operator in operators:
        for suffix, axes in REDUCED.items():
            shape = [1 if axis in axes else size for axis, size in enumerate(IMAGE)]
            yield _single(operator, kind, suffix, [IMAGE], [np.array(axes, np.int32)], shape, {"KeepDims": True})


def _pooling(kind: TensorType) -> Iterator[BenchNetwork]:
    for operator in ("AVERAGE_POOL_2D", "MAX_POOL_2D"):
        for suffix, (channels, size, stride, padding) in POOLS.items():
            side = 1 if padding else 8 // stride
            options = {"FilterHeight": size, "FilterWidth": size, "StrideH": stride, "StrideW": stride}
            shapes = [(1, 8, 8, channels)]
            shape = (1, side, side, channels)
            yield _single(operator, kind, suffix, shapes, [], shape, options | {"Padding": padding})


def _softmax(kind: TensorType) -> Iterator[BenchNetwork]:
    for shape in SOFTMAX:
        yield _single("SOFTMAX", kind, f"_{shape[0]}x{shape[1]}", [shape], [], shape, {"Beta": 1.0})


def _movers(kind: TensorType) -> Iterator[BenchNetwork]:
    def integers(*values: Any) -> list[Any]:
        return [np.array(value, np.int32) for value in values]

    margins = [[0, 0], [1, 1], [1, 1], [0, 0]]
    yield _single("CONCATENATION", kind, "", [(1, 8, 8, 3), (1, 8, 8, 5)], [], IMAGE, {"Axis": 3})
    if kind is not INT16:  # of which TFLM does not have these two
        yield _single("PACK", kind, "", [(8, 8)] * 4, [], (8, 8, 4), {"Axis": 2, "ValuesCount": 4})
        yield _single("TRANSPOSE", kind, "", [(8, 8, 8)], integers([0, 2, 1]), (8, 8, 8), {})
    yield _single("PAD", kind, "", [IMAGE], integers(margins), (1, 10, 10, 8), {})
    sizes = integers([4, 4], [3])
    yield _single("SPLIT_V", kind, "", [IMAGE], sizes, (1, 8, 8, 4), {"NumSplits": 2}, outputs=2)
    yield _single("UNPACK", kind, "", [(8, 8, 4)], [], (8, 8), {"Axis": 2, "Num": 4}, outputs=4)
    yield _single("STRIDED_SLICE", kind, "", [(8, 8, 8)], integers([0, 2, 0], [8, 6, 8], [1, 1, 1]), (8, 4, 8), {})
    yield _single("STRIDED_SLICE", kind, "_every_2nd", [(8, 64)], integers([0, 0], [8, 64], [1, 2]), (8, 32), {})


def _conversions() -> Iterator[BenchNetwork]:
    elements = math.prod(IMAGE)
    for operator, pairs in (("QUANTIZE", QUANTIZE), ("DEQUANTIZE", DEQUANTIZE)):
        for source, target in pairs:
            network = GrowingNetwork(source, seed=4)
            x = network.activation(IMAGE, zero_point=ZERO_POINTS.get(source, 0))
            network.kind = target
            y = network.operator(operator, [x], IMAGE, quantization=(0.04, ZERO_POINTS.get(target, 0)))
            name = f"{operator.lower()}_{TYPES[source]}_{TYPES[target]}"
            yield BenchNetwork(name, network.build([x], y), elements, "element")

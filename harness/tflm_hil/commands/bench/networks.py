"""The bench's set: small networks of many shapes, made anew from fixed seeds, each with the work that it does."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from tflm_hil.commands.bench.goals import int8_convolution
from tflm_hil.commands.bench.network import FLOAT32, INT8, INT16, TYPES, BenchNetwork, GrowingNetwork
from tflm_hil.commands.bench.operators import IMAGE, operator_networks
from tflm_hil.models.tflite_file import TensorType

# Goals, in instructions on a Cortex-M4F.
FLOAT_CONVOLUTION, FLOAT_CONVOLUTION_FEW, FEW = 6.0, 10.0, 16

# Height and width, input and output channels, kernel, stride, dilation.
CONVOLUTIONS = [
    (8, 8, 1, 1, 3, 1, 1),
    (8, 8, 1, 1, 3, 2, 1),
    (8, 8, 1, 2, 3, 1, 1),
    (8, 8, 1, 3, 3, 1, 1),
    (8, 8, 1, 8, 3, 1, 1),
    (8, 8, 2, 2, 3, 1, 1),
    (8, 8, 3, 8, 3, 2, 1),
    (8, 8, 6, 5, 5, 1, 1),
    (8, 8, 8, 16, 3, 1, 1),
    (8, 8, 16, 16, 3, 1, 1),
    (8, 8, 16, 2, 1, 1, 1),
    (8, 8, 32, 32, 1, 1, 1),
    (1, 32, 1, 1, 5, 1, 1),
    (1, 32, 1, 2, 3, 1, 1),
    (1, 32, 1, 8, 3, 1, 1),
    (1, 32, 1, 8, 5, 1, 1),
    (1, 32, 1, 8, 3, 2, 1),
    (1, 32, 1, 4, 3, 1, 4),
    (1, 32, 3, 8, 3, 1, 1),
    (1, 32, 6, 8, 5, 1, 2),
    (1, 32, 16, 16, 3, 2, 1),
]
# Height and width, channels, multiplier, kernel, stride.
DEPTHWISE = [(8, 8, 2, 1, 3, 1), (8, 8, 3, 2, 3, 1), (8, 8, 8, 1, 3, 1), (8, 8, 16, 1, 5, 2), (1, 32, 6, 1, 3, 1)]
# Batches, columns, rows.
DENSE = [(1, 8, 2), (1, 64, 10), (1, 180, 50), (32, 3, 3), (8, 16, 1)]


# int16 has simpler kernels: every fourth of the shapes tells as much.
EVERY = {FLOAT32: 1, INT8: 1, INT16: 4}


def bench_networks() -> Iterator[BenchNetwork]:
    """All networks of the set."""
    for kind in (FLOAT32, INT8, INT16):
        yield from _convolutions(kind)
        yield from _depthwise(kind)
        yield from _dense(kind)
        yield _small_cnn(kind)
        yield _residual(kind)
    yield from operator_networks()


def _convolutions(kind: TensorType) -> Iterator[BenchNetwork]:
    for height, width, channels, outputs, size, stride, dilation in CONVOLUTIONS[:: EVERY[kind]]:
        network = GrowingNetwork(kind, seed=1)
        x = network.activation((1, height, width, channels))
        flat = height == 1
        kernel, dilations = ((1, size), (1, dilation)) if flat else ((size, size), (dilation, dilation))
        y = network.convolution(x, outputs, kernel, stride, dilations)
        name = f"conv_{TYPES[kind]}_{'1d_' if flat else ''}{channels}to{outputs}_k{size}"
        name += f"_s{stride}" * (stride > 1) + f"_d{dilation}" * (dilation > 1)
        most = None
        if kind is FLOAT32:
            most = FLOAT_CONVOLUTION_FEW if channels < FEW else FLOAT_CONVOLUTION
        elif kind is INT8:
            taps = math.prod(kernel)
            # Dilation leaves only the channels of a tap as neighbours.
            pairs = taps * -(-channels // 2) if dilation > 1 else -(-taps * channels // 2)
            elements = network.macs // (taps * channels)
            copied = height * width * channels if size > 1 else 0
            most = int8_convolution(network.macs, elements, copied, pairs)
        yield BenchNetwork(name, network.build([x], y), network.macs, "MAC", most)


def _depthwise(kind: TensorType) -> Iterator[BenchNetwork]:
    for height, width, channels, multiplier, size, stride in DEPTHWISE[:: EVERY[kind]]:
        network = GrowingNetwork(kind, seed=2)
        x = network.activation((1, height, width, channels))
        kernel = (1, size) if height == 1 else (size, size)
        y = network.convolution(x, channels * multiplier, kernel, stride, multiplier=multiplier)
        name = f"depthwise_{TYPES[kind]}_{'1d_' if height == 1 else ''}{channels}x{multiplier}_k{size}"
        yield BenchNetwork(name + f"_s{stride}" * (stride > 1), network.build([x], y), network.macs, "MAC")


def _dense(kind: TensorType) -> Iterator[BenchNetwork]:
    for batches, columns, rows in DENSE:
        network = GrowingNetwork(kind, seed=3)
        x = network.activation((batches, columns))
        y = network.dense(x, rows)
        name = f"dense_{TYPES[kind]}_{columns}to{rows}" + f"_b{batches}" * (batches > 1)
        yield BenchNetwork(name, network.build([x], y), network.macs, "MAC")


def _small_cnn(kind: TensorType) -> BenchNetwork:
    """Convolutions with strides, a depthwise one between them, the mean over the image and a classifier."""
    network = GrowingNetwork(kind, seed=9)
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
    network = GrowingNetwork(kind, seed=10)
    x = network.activation(IMAGE)
    first = network.convolution(x, 8, (3, 3))
    second = network.convolution(network.convolution(first, 8, (3, 3)), 8, (3, 3))
    y = network.operator("ADD", [first, second], IMAGE)
    return BenchNetwork(f"residual_{TYPES[kind]}", network.build([x], y), network.macs, "MAC")

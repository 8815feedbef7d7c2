"""Count the multiply-accumulates of each operator of a network."""

from __future__ import annotations

import math
from collections.abc import Callable

from tflm_hil.models.tflite_file import Graph, Operator, Tensor

# Operators with an unknown number of multiply-accumulates: it depends on more than shapes, or no engine runs them.
UNCOUNTED = frozenset(
    f"{prefix}{kind}"
    for kind in ("LSTM", "RNN")
    for prefix in ("", "UNIDIRECTIONAL_SEQUENCE_", "BIDIRECTIONAL_SEQUENCE_")
) | {"SVDF", "BATCH_MATMUL", "CONV_3D", "CONV_3D_TRANSPOSE", "WHILE", "IF", "CALL"}


def multiply_accumulates(graph: Graph, operator: Operator) -> int | None:
    """Return the multiply-accumulates of `operator` for a batch of one.

    A convolution counts every tap of the filter at every output, including taps on padding, as published figures do.
    Operators other than matrix products and convolutions count 0. None if the number is unknown: the operator is
    custom, recurrent or control flow, or lacks a tensor or dimension that it should have.
    """
    if operator.kind in UNCOUNTED or operator.kind.startswith(("CUSTOM", "UNKNOWN")):
        return None
    count = _COUNTS.get(operator.kind)
    if count is None:
        return 0
    inputs = [graph.tensors[index] for index in operator.inputs if index >= 0]
    try:
        return count(inputs, graph.tensors[operator.outputs[0]])
    except IndexError:
        return None


def _fully_connected(inputs: list[Tensor], output: Tensor) -> int:
    return output.elements * inputs[1].static_shape[1]


def _convolution(inputs: list[Tensor], output: Tensor) -> int:
    # The filter is [outputs, height, width, inputs of the group].
    return output.elements * math.prod(inputs[1].static_shape[1:])


def _depthwise(inputs: list[Tensor], output: Tensor) -> int:
    _, height, width, _ = _rank4(inputs[1])
    return output.elements * height * width


def _transposed(inputs: list[Tensor], _output: Tensor) -> int:
    # The inputs are the shape of the output, the filter [outputs, height, width, inputs] and the activations.
    outputs, height, width, _ = _rank4(inputs[1])
    return inputs[2].elements * outputs * height * width


def _rank4(tensor: Tensor) -> tuple[int, int, int, int]:
    sizes = tensor.static_shape
    return sizes[0], sizes[1], sizes[2], sizes[3]


_COUNTS: dict[str, Callable[[list[Tensor], Tensor], int]] = {
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _depthwise,
    "FULLY_CONNECTED": _fully_connected,
    "TRANSPOSE_CONV": _transposed,
}

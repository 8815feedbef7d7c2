"""How much arithmetic a network takes: multiply-accumulates, operator by operator."""

from __future__ import annotations

import math
from collections.abc import Callable

from tflm_hil.models.tflite_file import Graph, Operator, Tensor

# Matrix products whose number depends on more than shapes, or that no engine here runs: not counted, and not zero.
UNCOUNTED = frozenset(
    f"{prefix}{kind}"
    for kind in ("LSTM", "RNN")
    for prefix in ("", "UNIDIRECTIONAL_SEQUENCE_", "BIDIRECTIONAL_SEQUENCE_")
) | {"SVDF", "BATCH_MATMUL", "CONV_3D", "CONV_3D_TRANSPOSE", "WHILE", "IF", "CALL"}


def multiply_accumulates(graph: Graph, operator: Operator) -> int | None:
    """The multiply-accumulates of the matrix product or convolution that `operator` is, for a batch of one.

    A convolution counts every tap of its filter at every output, those that fall on padding included, as published
    figures do. Operators that work element by element count 0. None where it cannot be told: the operator is of a
    kind that is not counted here (custom, recurrent, control flow), or lacks a tensor or dimension that it should have.
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
    return output.elements * _sizes(inputs[1])[1]


def _convolution(inputs: list[Tensor], output: Tensor) -> int:
    # The filter is [outputs, height, width, inputs of its group].
    return output.elements * math.prod(_sizes(inputs[1])[1:])


def _depthwise(inputs: list[Tensor], output: Tensor) -> int:
    _, height, width, _ = _rank4(inputs[1])
    return output.elements * height * width


def _transposed(inputs: list[Tensor], _output: Tensor) -> int:
    # Its inputs are the output's shape, the filter [outputs, height, width, inputs] and the activations.
    outputs, height, width, _ = _rank4(inputs[1])
    return inputs[2].elements * outputs * height * width


def _sizes(tensor: Tensor) -> tuple[int, ...]:
    """Its shape, with 1 for an open dimension."""
    return tuple(1 if size < 0 else size for size in tensor.shape)


def _rank4(tensor: Tensor) -> tuple[int, int, int, int]:
    sizes = _sizes(tensor)
    return sizes[0], sizes[1], sizes[2], sizes[3]


_COUNTS: dict[str, Callable[[list[Tensor], Tensor], int]] = {
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _depthwise,
    "FULLY_CONNECTED": _fully_connected,
    "TRANSPOSE_CONV": _transposed,
}

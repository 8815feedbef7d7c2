"""Constant folding: compute everything that does not depend on the network's input once the batch size is 1.

Converters leave the batch open and compute shapes at run time: SHAPE, STRIDED_SLICE and PACK for the second input of a
RESHAPE. Three things are folded: integer arithmetic on shapes, operators that only move or repeat constants (both are
exact), and the conversion of float16 weights to float32.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from tflm_hil.models.dilation import dilate
from tflm_hil.models.tflite_file import Graph, Operator, Tensor, TensorType

Values = Sequence[npt.NDArray[Any]]
Rule = Callable[[Operator, Values, Tensor], npt.NDArray[Any]]
"""Computes the data of an output from the operator, its constant inputs and the output. May raise what numpy raises."""

# Limits, so that a small file cannot ask for much memory. Arithmetic on shapes needs few elements; operators that only
# change shape or type may have more, but no more bytes than any target has room for.
MAX_ELEMENTS = 4096
MAX_BYTES = 64 << 20
_INTEGERS = (TensorType.INT32, TensorType.INT64)


def fold(graph: Graph) -> Graph:
    """Return `graph` after all `PASSES`: what is left to compute once the batch size is 1.

    Operators keep the index that they have in the file.
    """
    for rewrite in PASSES:
        graph = rewrite(graph)
    return graph


def fold_constants(graph: Graph) -> Graph:
    """Return `graph` with all known tensors as constants, and without the operators that compute them.

    An open dimension counts as 1, as when TFLM runs the file. RESHAPE, SQUEEZE and EXPAND_DIMS lose their second input:
    the shape of the output says the same. Operators whose result contradicts the shape or type of their output stay,
    and are refused later.
    """
    tensors = list(graph.tensors)
    operators = []
    room = MAX_BYTES
    for operator in graph.operators:
        for index, shape in _inferred(operator, tensors):
            tensors[index] = dataclasses.replace(tensors[index], shape=shape)
        operator = _without_shape(operator)
        data = _result(operator, tensors, room)
        if data is None:
            operators.append(operator)
        else:
            room -= data.nbytes
            (index,) = operator.outputs
            tensors[index] = dataclasses.replace(tensors[index], data=data)
    return dataclasses.replace(graph, tensors=tensors, operators=operators)


def drop_unneeded(graph: Graph) -> Graph:
    """Return `graph` without the operators that no output depends on, if `fold_constants` has rules for them."""
    needed = set(graph.outputs)
    kept = []
    for operator in reversed(graph.operators):
        if operator.kind not in _RULES or not needed.isdisjoint(operator.outputs):
            needed.update(operator.inputs)
            kept.append(operator)
    return dataclasses.replace(graph, operators=kept[::-1])


PASSES: tuple[Callable[[Graph], Graph], ...] = (fold_constants, drop_unneeded, dilate)
"""In this order. The compiler and the reference run the same."""


def _inferred(operator: Operator, tensors: Sequence[Tensor]) -> list[tuple[int, tuple[int, ...]]]:
    """Index and shape of the output, if the file leaves dimensions open that follow from the inputs."""
    if len(operator.outputs) != 1 or len(operator.inputs) == 0 or min(operator.inputs[:2]) < 0:
        return []
    y, inputs = tensors[operator.outputs[0]], [tensors[index] for index in operator.inputs[:2]]
    x, count = inputs[0], inputs[0].elements
    if -1 not in y.shape:
        return []
    shape = y.shape
    asked = inputs[-1].data
    if operator.kind == "RESHAPE" and len(inputs) == 2 and asked is not None:
        shape = tuple(int(size) for size in asked.ravel())
        known = math.prod(size for size in shape if size != -1)
        if shape.count(-1) == 1 and known > 0 and count % known == 0:
            shape = tuple(count // known if size == -1 else size for size in shape)
    elif operator.kind == "FULLY_CONNECTED" and len(inputs) == 2 and len(inputs[1].shape) == 2 and len(y.shape) == 2:
        rows, columns = inputs[1].shape
        if columns > 0 and count % columns == 0:
            shape = (count // columns, rows)
    elif operator.kind in _ELEMENTWISE:
        shape = x.static_shape
    fits = len(shape) == len(y.shape) and all(new == old or old == -1 for new, old in zip(shape, y.shape, strict=True))
    return [(y.index, shape)] if fits and min(shape, default=1) > 0 else []


def _without_shape(operator: Operator) -> Operator:
    if operator.kind in _RESHAPES:
        return dataclasses.replace(operator, inputs=operator.inputs[:1])
    return operator


def _result(operator: Operator, tensors: Sequence[Tensor], room: int) -> npt.NDArray[Any] | None:
    """The data that `operator` computes; None unless it is known, exact and at most `room` bytes."""
    rule = _RULES.get(operator.kind)
    if rule is None or len(operator.outputs) != 1 or not operator.inputs or min(operator.inputs) < 0:
        return None
    output, inputs = tensors[operator.outputs[0]], [tensors[index] for index in operator.inputs]
    values = _values(operator, inputs)
    if values is None or output.type.dtype is None or not _exact(operator, inputs, output):
        return None
    if operator.kind not in _OF_ANY_SIZE and max(output.elements, sum(x.size for x in values)) > MAX_ELEMENTS:
        return None
    if output.elements * output.type.dtype.itemsize > room:
        return None
    try:
        # Products wrap around, as they do at run time.
        with np.errstate(divide="raise", over="ignore"):
            data = np.asarray(rule(operator, values, output))
    except (ArithmeticError, IndexError, TypeError, ValueError):
        return None
    return data.astype(output.type.dtype, copy=False) if data.shape == output.static_shape else None


def _values(operator: Operator, inputs: Sequence[Tensor]) -> Values | None:
    if operator.kind == "SHAPE":
        return [np.array(inputs[0].static_shape, np.int64)]
    values = [tensor.data for tensor in inputs if tensor.data is not None]
    readable = all(tensor.type.dtype is not None and not tensor.sparse for tensor in inputs)
    return values if readable and len(values) == len(inputs) else None


def _exact(operator: Operator, inputs: Sequence[Tensor], output: Tensor) -> bool:
    """Whether the rule, with these types, computes the same as every runtime."""
    if operator.kind == "DEQUANTIZE":
        return (inputs[0].type, output.type) == (TensorType.FLOAT16, TensorType.FLOAT32)
    if operator.kind == "SHAPE":
        return output.type in _INTEGERS
    if operator.kind == "CAST":
        return {inputs[0].type, output.type}.issubset(_INTEGERS)
    if operator.kind in _ARITHMETIC:
        return all(tensor.type == output.type and tensor.type in _INTEGERS for tensor in (inputs[0], output))
    moved = inputs[-1] if operator.kind == "FILL" else inputs[0]
    return moved.type == output.type and (operator.kind in _RESHAPES or len(output.scales) == 0)


def _flag(operator: Operator, name: str) -> int:
    return int(operator.options.get(name, 0))


def _strided_slice(operator: Operator, values: Values, _output: Tensor) -> npt.NDArray[Any]:
    x, begin, end, strides = values
    if any(_flag(operator, name) for name in ("EllipsisMask", "NewAxisMask", "Offset")):
        raise ValueError("not folded")
    index: list[int | slice] = []
    for axis, (first, last, step) in enumerate(zip(begin.tolist(), end.tolist(), strides.tolist(), strict=True)):
        bit = 1 << axis
        begin_open, end_open = _flag(operator, "BeginMask") & bit, _flag(operator, "EndMask") & bit
        if _flag(operator, "ShrinkAxisMask") & bit:
            index.append(0 if begin_open else first)
        else:
            index.append(slice(None if begin_open else first, None if end_open else last, step))
    return np.asarray(x[tuple(index)])


def _slice(_operator: Operator, values: Values, _output: Tensor) -> npt.NDArray[Any]:
    x, begin, size = values
    ends = [None if n < 0 else b + n for b, n in zip(begin.tolist(), size.tolist(), strict=True)]
    return np.asarray(x[tuple(slice(b, e) for b, e in zip(begin.tolist(), ends, strict=True))])


def _gather(operator: Operator, values: Values, _output: Tensor) -> npt.NDArray[Any]:
    if _flag(operator, "BatchDims") or values[1].min(initial=0) < 0:
        raise ValueError("not folded")
    return np.take(values[0], values[1], axis=_flag(operator, "Axis"))


def _reduce(function: Any) -> Rule:
    def rule(operator: Operator, values: Values, _output: Tensor) -> npt.NDArray[Any]:
        axes = tuple(int(axis) for axis in values[1].ravel())
        return np.asarray(function(values[0], axis=axes, keepdims=bool(_flag(operator, "KeepDims"))))

    return rule


def _binary(function: Any) -> Rule:
    def rule(operator: Operator, values: Values, _output: Tensor) -> npt.NDArray[Any]:
        if _flag(operator, "FusedActivationFunction"):
            raise ValueError("not folded")
        return np.asarray(function(*values))

    return rule


def _as_output(_operator: Operator, values: Values, output: Tensor) -> npt.NDArray[Any]:
    return values[0].reshape(output.static_shape)


def _fill(_operator: Operator, values: Values, output: Tensor) -> npt.NDArray[Any]:
    if tuple(values[0].tolist()) != output.static_shape:
        raise ValueError("not folded")
    return np.full(output.static_shape, values[1])


_RESHAPES = frozenset({"RESHAPE", "SQUEEZE", "EXPAND_DIMS"})
_ELEMENTWISE = frozenset(
    {"DEQUANTIZE", "ELU", "HARD_SWISH", "LEAKY_RELU", "LOGISTIC", "PRELU", "QUANTIZE", "RELU", "RELU6", "SOFTMAX"}
    | {"TANH"}
)
_OF_ANY_SIZE = _RESHAPES | {"DEQUANTIZE"}
_ARITHMETIC: dict[str, Rule] = {
    "ADD": _binary(np.add),
    "SUB": _binary(np.subtract),
    "MUL": _binary(np.multiply),
    "FLOOR_DIV": _binary(np.floor_divide),
    "FLOOR_MOD": _binary(np.mod),
    "MAXIMUM": _binary(np.maximum),
    "MINIMUM": _binary(np.minimum),
    "NEG": _binary(np.negative),
    "REDUCE_MAX": _reduce(np.max),
    "REDUCE_MIN": _reduce(np.min),
    "REDUCE_PROD": _reduce(np.prod),
    "SUM": _reduce(np.sum),
}
_RULES: dict[str, Rule] = _ARITHMETIC | {
    "CAST": lambda _o, values, _y: values[0],
    "CONCATENATION": lambda operator, values, _y: np.concatenate(values, axis=_flag(operator, "Axis")),
    "DEQUANTIZE": lambda _o, values, _y: values[0],
    "EXPAND_DIMS": _as_output,
    "FILL": _fill,
    "GATHER": _gather,
    "PACK": lambda operator, values, _y: np.stack(values, axis=_flag(operator, "Axis")),
    "RESHAPE": _as_output,
    "SHAPE": lambda _o, values, _y: values[0],
    "SLICE": _slice,
    "SQUEEZE": _as_output,
    "STRIDED_SLICE": _strided_slice,
    "TRANSPOSE": lambda _o, values, _y: np.transpose(values[0], values[1].tolist()),
}

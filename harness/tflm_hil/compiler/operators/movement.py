"""Operators that only move elements: RESHAPE and its kin, TRANSPOSE, STRIDED_SLICE, PAD, CONCATENATION."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tflm_hil.compiler.graph.network import Network
from tflm_hil.compiler.kernel_call import Array, Step, Value
from tflm_hil.compiler.operators.common import refuse_types
from tflm_hil.compiler.operators.loops import Axis, merge, row_major
from tflm_hil.errors import HilError
from tflm_hil.models.tflite_file import Operator, Tensor, TensorType

HEADER = "aot_copy.h"
TYPES = (TensorType.FLOAT32, TensorType.INT8, TensorType.INT16)


def lower_reshape(operator: Operator, network: Network) -> Step:
    """RESHAPE, SQUEEZE, EXPAND_DIMS. No code: tensors lie in memory row by row, whatever their shape."""
    x, y = network.tensor(operator, 0), network.output(operator)
    if x.elements != y.elements or x.type != y.type:
        raise network.refuse(
            operator, f"makes {y.type.name}{list(y.shape)} of {x.type.name}{list(x.shape)}; export the model again"
        )
    return Step(operator, (x.index,), y.index)


def lower_transpose(operator: Operator, network: Network) -> Step:
    """Dimension i of y is dimension order[i] of x."""
    x, y = _operands(operator, network)
    order = network.integers(operator, 1, "order of dimensions")
    if sorted(order) != list(range(len(x.shape))):
        raise network.refuse(operator, f"orders the dimensions of {list(x.shape)} as {order}; export the model again")
    _check_shape(operator, network, y, [x.shape[i] for i in order])
    steps = row_major(x.shape)
    axes = [Axis(x.shape[i], steps[i], step) for i, step in zip(order, row_major(y.shape), strict=True)]
    return _copy(operator, x, y, axes, 0)


def lower_strided_slice(operator: Operator, network: Network) -> Step:
    """x[begin:end:stride] in every dimension, as TFLM reads it: without ellipsis and new dimensions."""
    x, y = _operands(operator, network)
    begin, end, strides = (
        network.integers(operator, i, name) for i, name in ((1, "begin"), (2, "end"), (3, "strides"))
    )
    masks = {
        name: int(network.option(operator, name, 0))
        for name in ("BeginMask", "EndMask", "ShrinkAxisMask", "EllipsisMask", "NewAxisMask", "Offset")
    }
    if masks["EllipsisMask"] or masks["NewAxisMask"] or masks["Offset"]:
        raise network.refuse(
            operator, "slices with an ellipsis, a new dimension or relative ends, which TFLM lacks; use plain slices"
        )
    if not len(begin) == len(end) == len(strides) == len(x.shape) or 0 in strides:
        raise network.refuse(operator, f"slices {list(x.shape)} by {begin}:{end}:{strides}; export the model again")
    ranges = []
    shape = []
    for axis, size in enumerate(x.shape):
        bit = 1 << axis
        if masks["ShrinkAxisMask"] & bit:
            first = _start(begin[axis], masks["BeginMask"] & bit, strides[axis], size)
            if not 0 <= first < size:
                raise network.refuse(operator, f"takes index {begin[axis]} of {size}; export the model again")
            ranges.append(range(first, first + 1))
            continue
        ends = (
            None if masks["BeginMask"] & bit else begin[axis],
            None if masks["EndMask"] & bit else end[axis],
            strides[axis],
        )
        ranges.append(range(*slice(*ends).indices(size)))
        shape.append(len(ranges[-1]))
    _check_shape(operator, network, y, shape)
    steps = row_major(x.shape)
    target = row_major([len(indices) for indices in ranges])
    axes = [Axis(len(r), r.step * step, to) for r, step, to in zip(ranges, steps, target, strict=True)]
    return _copy(operator, x, y, axes, sum(r.start * step for r, step in zip(ranges, steps, strict=True)))


def _start(begin: int, masked: int, stride: int, size: int) -> int:
    """The index that a dimension is reduced to."""
    if masked:
        return 0 if stride > 0 else size - 1
    return begin + size if begin < 0 else begin


def lower_pad(operator: Operator, network: Network) -> Step:
    """PAD with zeros, PADV2 with a constant."""
    x, y = _operands(operator, network)
    paddings = network.integers(operator, 1, "paddings")
    if len(paddings) != 2 * len(x.shape) or min(paddings, default=0) < 0:
        raise network.refuse(operator, f"pads {list(x.shape)} by {paddings}; export the model again")
    before, after = paddings[0::2], paddings[1::2]
    shape = [low + size + high for low, size, high in zip(before, x.shape, after, strict=True)]
    _check_shape(operator, network, y, shape)
    steps = row_major(y.shape)
    axes = [Axis(size, step, to) for size, step, to in zip(x.shape, row_major(x.shape), steps, strict=True)]
    if x.elements == y.elements:
        return _copy(operator, x, y, axes, 0)
    itemsize = _itemsize(x)
    parameters = _blocks(axes, itemsize) | {
        "x_offset": 0,
        "y_offset": itemsize * sum(low * step for low, step in zip(before, steps, strict=True)),
        "elements": y.elements,
        "element_bytes": itemsize,
        "fill": int.from_bytes(_padding_value(operator, network, y), "little"),
    }
    return Step(operator, (x.index,), y.index, HEADER, "aot_pad", parameters)


def _padding_value(operator: Operator, network: Network, y: Tensor) -> bytes:
    assert y.type.dtype is not None
    if len(operator.inputs) < 3 or operator.inputs[2] < 0:
        zero = network.quantization(operator, y).zero_point if y.type is TensorType.INT8 else 0
        return np.array(zero, y.type.dtype).tobytes()
    constant = network.tensor(operator, 2)
    value = network.constant(operator, 2, "padding value", y.type)
    if value.size != 1:
        raise network.refuse(operator, f"pads with {value.size} values instead of one; export the model again")
    if y.type is TensorType.INT8 and network.quantization(operator, constant) != network.quantization(operator, y):
        raise network.refuse(operator, "its padding value is quantized differently from its output; quantize it again")
    return value.tobytes()


def lower_concatenation(operator: Operator, network: Network) -> Step:
    """The inputs one after the other along one dimension."""
    y = network.output(operator)
    inputs = [network.tensor(operator, position) for position in range(len(operator.inputs))]
    axis = int(network.option(operator, "Axis", 0))
    rank = len(y.shape)
    if not inputs or not -rank <= axis < rank:
        raise network.refuse(operator, f"joins {len(inputs)} inputs along dimension {axis}; export the model again")
    axis %= rank
    if network.option(operator, "FusedActivationFunction", 0) != 0:
        raise network.refuse(operator, "has a fused activation, which TFLM refuses; use an operator of its own")
    for x in inputs:
        if x.type != y.type or y.type not in TYPES:
            raise _refuse(operator, network)
        if len(x.shape) != rank or x.shape[:axis] + x.shape[axis + 1 :] != y.shape[:axis] + y.shape[axis + 1 :]:
            raise network.refuse(operator, f"joins {list(x.shape)} to {list(y.shape)}; export the model again")
        if y.type is TensorType.INT8 and network.quantization(operator, x) != network.quantization(operator, y):
            raise network.refuse(
                operator,
                "its inputs and output are quantized differently, which TFLM refuses; quantize it again",
            )
    if sum(x.shape[axis] for x in inputs) != y.shape[axis]:
        raise network.refuse(operator, f"joins its inputs to {list(y.shape)}, which they do not fill; export it again")
    row_bytes = [math.prod(x.shape[axis:]) * _itemsize(x) for x in inputs]
    parameters: dict[str, Value] = {
        "rows": math.prod(y.shape[:axis]),
        "inputs": len(inputs),
        "row_bytes": Array("uint32_t", np.array(row_bytes, np.uint32)),
    }
    indices = tuple(x.index for x in inputs)
    return Step(operator, indices, y.index, HEADER, "aot_concatenate", parameters, listed=True)


def lower_pack(operator: Operator, network: Network) -> Step:
    """The inputs, all of one shape, side by side along a new dimension."""
    y = network.output(operator)
    inputs = [network.tensor(operator, position) for position in range(len(operator.inputs))]
    axis = int(network.option(operator, "Axis", 0))
    rank = len(y.shape)
    if not inputs or not -rank <= axis < rank or y.shape[axis] != len(inputs):
        raise network.refuse(operator, f"packs {len(inputs)} inputs to {list(y.shape)}; export the model again")
    axis %= rank
    for x in inputs:
        if x.type != y.type or y.type not in TYPES:
            raise _refuse(operator, network)
        _check_shape(operator, network, x, y.shape[:axis] + y.shape[axis + 1 :])
        if y.type is not TensorType.FLOAT32 and network.quantization(operator, x) != network.quantization(operator, y):
            raise network.refuse(operator, "its inputs and output are quantized differently; quantize it again")
    row_bytes = math.prod(y.shape[axis + 1 :]) * _itemsize(y)
    parameters: dict[str, Value] = {
        "rows": math.prod(y.shape[:axis]),
        "inputs": len(inputs),
        "row_bytes": Array("uint32_t", np.full(len(inputs), row_bytes, np.uint32)),
    }
    indices = tuple(x.index for x in inputs)
    return Step(operator, indices, y.index, HEADER, "aot_concatenate", parameters, "aot_concatenate_t", listed=True)


def _operands(operator: Operator, network: Network) -> tuple[Tensor, Tensor]:
    x, y = network.tensor(operator, 0), network.output(operator)
    if x.type != y.type or x.type not in TYPES:
        raise _refuse(operator, network)
    return x, y


def _refuse(operator: Operator, network: Network) -> HilError:
    return refuse_types(operator, network, ", ".join(f"{kind.name} -> {kind.name}" for kind in TYPES))


def _check_shape(operator: Operator, network: Network, y: Tensor, shape: Sequence[int]) -> None:
    if list(y.shape) != list(shape):
        raise network.refuse(operator, f"makes {list(y.shape)} instead of {list(shape)}; export the model again")


def _itemsize(tensor: Tensor) -> int:
    assert tensor.type.dtype is not None
    return tensor.type.dtype.itemsize


def _blocks(axes: Sequence[Axis], itemsize: int) -> dict[str, Value]:
    """The loops over blocks of bytes that lie together in both tensors."""
    merged = merge(axes)
    block = itemsize
    if merged[-1].first == merged[-1].second == 1:
        block = merged.pop().size * itemsize
    loops = [Axis(axis.size, axis.first * itemsize, axis.second * itemsize) for axis in merged] or [Axis(1, 0, 0)]
    return {"axes": Array("aot_axis_t", loops), "axis_count": len(loops), "block": block}


def _copy(operator: Operator, x: Tensor, y: Tensor, axes: Sequence[Axis], offset: int) -> Step:
    """The copy that these loops make, or no code where y is x as it lies in memory.

    A constant is copied in any case: it lies in flash, and y may be an output of the network.
    """
    same = x.elements == y.elements and merge(axes) in ([Axis(x.elements, 1, 1)], [Axis(1, 0, 0)])
    if same and x.data is None:
        return Step(operator, (x.index,), y.index)
    parameters = _blocks(axes, _itemsize(x)) | {"x_offset": offset * _itemsize(x), "y_offset": 0}
    return Step(operator, (x.index,), y.index, HEADER, "aot_copy", parameters)

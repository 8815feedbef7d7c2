"""Operators that only move elements of one tensor: RESHAPE, SQUEEZE, EXPAND_DIMS, TRANSPOSE, STRIDED_SLICE, PAD."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tflm_hil.compiler.graph.op import Op, Operand
from tflm_hil.compiler.kernel_call import Array, KernelCall, Value
from tflm_hil.compiler.operators.loops import Axis, merge, row_major
from tflm_hil.compiler.operators.registry import FLOAT32, INT8, INT16, INT32, UINT8, OneOf, kernel

HEADER = "aot_copy.h"
ANY = OneOf((FLOAT32, INT8, INT16, UINT8))
MOVED = OneOf((FLOAT32, INT8, INT16))


@kernel("RESHAPE", "SQUEEZE", "EXPAND_DIMS", inputs=(ANY,), outputs=(ANY,))
def reshape(op: Op) -> KernelCall:
    """No code: the order of the elements in memory does not depend on the shape."""
    x, y = op.input(0), op.output
    if x.elements != y.elements:
        raise op.refuse(f"cannot reshape {list(x.shape)} to {list(y.shape)}; export the model again")
    return KernelCall(op, (x.index,), (y.index,))


@kernel("TRANSPOSE", inputs=(MOVED, INT32), outputs=(MOVED,))
def transpose(op: Op) -> KernelCall:
    """Dimension i of y is dimension order[i] of x."""
    x, y = op.input(0), op.output
    order = op.input(1).integers("order of dimensions")
    if sorted(order) != list(range(len(x.shape))):
        raise op.refuse(f"cannot order the dimensions of {list(x.shape)} as {order}; export the model again")
    check_shape(y, [x.shape[i] for i in order])
    steps = row_major(x.shape)
    axes = [Axis(x.shape[i], steps[i], step) for i, step in zip(order, row_major(y.shape), strict=True)]
    return _copy(op, axes, 0)


@kernel("STRIDED_SLICE", inputs=(MOVED, INT32, INT32, INT32), outputs=(MOVED,))
def strided_slice(op: Op) -> KernelCall:
    """x[begin:end:stride] in every dimension. Like TFLM, it does not support an ellipsis or new dimensions."""
    x, y = op.input(0), op.output
    begin, end, strides = (op.input(i).integers(name) for i, name in ((1, "begin"), (2, "end"), (3, "strides")))
    if any(op.option(name, 0) for name in ("EllipsisMask", "NewAxisMask", "Offset")):
        raise op.refuse(
            "slices with an ellipsis, a new dimension or relative ends, which TFLM does not support; use plain slices"
        )
    if not len(begin) == len(end) == len(strides) == len(x.shape) or 0 in strides:
        raise op.refuse(f"cannot slice {list(x.shape)} by {begin}:{end}:{strides}; export the model again")
    begin_mask, end_mask, shrink = (op.option(name, 0) for name in ("BeginMask", "EndMask", "ShrinkAxisMask"))
    ranges = []
    shape = []
    for axis, size in enumerate(x.shape):
        bit = 1 << axis
        if shrink & bit:
            first = _start(begin[axis], begin_mask & bit, strides[axis], size)
            if not 0 <= first < size:
                raise op.refuse(f"has index {begin[axis]} of {size}; export the model again")
            ranges.append(range(first, first + 1))
            continue
        ends = (
            None if begin_mask & bit else begin[axis],
            None if end_mask & bit else end[axis],
            strides[axis],
        )
        ranges.append(range(*slice(*ends).indices(size)))
        shape.append(len(ranges[-1]))
    check_shape(y, shape)
    steps = row_major(x.shape)
    target = row_major([len(indices) for indices in ranges])
    axes = [Axis(len(r), r.step * step, to) for r, step, to in zip(ranges, steps, target, strict=True)]
    return _copy(op, axes, sum(r.start * step for r, step in zip(ranges, steps, strict=True)))


def _start(begin: int, masked: int, stride: int, size: int) -> int:
    """The index that replaces a dimension."""
    if masked:
        return 0 if stride > 0 else size - 1
    return begin + size if begin < 0 else begin


@kernel("PAD", inputs=(MOVED, INT32), outputs=(MOVED,))
@kernel("PADV2", inputs=(MOVED, INT32, MOVED), outputs=(MOVED,))
def pad(op: Op) -> KernelCall:
    """PAD adds zeros, PADV2 adds a constant."""
    x, y = op.input(0), op.output
    paddings = op.input(1).integers("paddings")
    if len(paddings) != 2 * len(x.shape) or min(paddings, default=0) < 0:
        raise op.refuse(f"cannot pad {list(x.shape)} by {paddings}; export the model again")
    before, after = paddings[0::2], paddings[1::2]
    check_shape(y, [low + size + high for low, size, high in zip(before, x.shape, after, strict=True)])
    steps = row_major(y.shape)
    axes = [Axis(size, step, to) for size, step, to in zip(x.shape, row_major(x.shape), steps, strict=True)]
    if x.elements == y.elements:
        return _copy(op, axes, 0)
    parameters = _blocks(axes, x.itemsize) | {
        "x_offset": 0,
        "y_offset": x.itemsize * sum(low * step for low, step in zip(before, steps, strict=True)),
        "elements": y.elements,
        "element_bytes": x.itemsize,
        "fill": int.from_bytes(_padding_value(op), "little"),
    }
    return KernelCall(op, (x.index,), (y.index,), HEADER, "aot_pad", parameters)


def _padding_value(op: Op) -> bytes:
    y = op.output
    if not op.has_input(2):
        zero = y.quantization.zero_point if y.type is INT8 else 0
        return np.array(zero, y.type.dtype).tobytes()
    value = op.input(2).constant("padding value")
    if value.size != 1:
        raise op.refuse(f"has {value.size} padding values instead of one; export the model again")
    if y.type is INT8 and op.input(2).quantization != y.quantization:
        raise op.refuse("its padding value and output are quantized differently; quantize the model again")
    return value.tobytes()


def check_shape(tensor: Operand, shape: Sequence[int]) -> None:
    """Raise HilError if `tensor` has another shape than `shape`."""
    if list(tensor.shape) != list(shape):
        raise tensor.op.refuse(
            f"tensor {tensor.index} has the shape {list(tensor.shape)} instead of {list(shape)}; export the model again"
        )


def _blocks(axes: Sequence[Axis], itemsize: int) -> dict[str, Value]:
    """The loops over blocks of bytes that are contiguous in both tensors."""
    merged = merge(axes)
    block = itemsize
    if merged[-1].first == merged[-1].second == 1:
        block = merged.pop().size * itemsize
    loops = [Axis(axis.size, axis.first * itemsize, axis.second * itemsize) for axis in merged] or [Axis(1, 0, 0)]
    return {"axes": Array("aot_axis_t", loops), "axis_count": len(loops), "block": block}


def _copy(op: Op, axes: Sequence[Axis], offset: int) -> KernelCall:
    """The copy by these loops, or no code if it would change nothing in memory.

    A constant is always copied, because it is in flash, and y may be an output of the network.
    """
    x, y = op.input(0), op.output
    same = x.elements == y.elements and merge(axes) in ([Axis(x.elements, 1, 1)], [Axis(1, 0, 0)])
    if same and not x.is_constant:
        return KernelCall(op, (x.index,), (y.index,))
    parameters = _blocks(axes, x.itemsize) | {"x_offset": offset * x.itemsize, "y_offset": 0}
    return KernelCall(op, (x.index,), (y.index,), HEADER, "aot_copy", parameters)

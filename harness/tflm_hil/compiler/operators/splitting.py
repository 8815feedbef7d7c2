"""Operators that split a tensor: SPLIT, SPLIT_V and UNPACK."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tflm_hil.compiler.graph.op import Op, Operand
from tflm_hil.compiler.kernel_call import Array, KernelCall, Value
from tflm_hil.compiler.operators.movement import HEADER, MOVED, check_shape
from tflm_hil.compiler.operators.registry import FLOAT32, INT32, kernel


@kernel("SPLIT", inputs=(INT32, MOVED), outputs=(MOVED, ...))
def split(op: Op) -> KernelCall:
    """Split the input into equal parts along the dimension in a constant."""
    x = op.input(1)
    axis = _axis(x, op.input(0).integers("dimension"))
    parts = len(op.outputs)
    if op.option("NumSplits", 0) != parts or x.shape[axis] % parts:
        raise op.refuse(
            f"cannot split {list(x.shape)} along dimension {axis} into {parts} outputs; export the model again"
        )
    return _split(op, x, axis, [x.shape[axis] // parts] * parts)


@kernel("SPLIT_V", inputs=(MOVED, INT32, INT32), outputs=(MOVED, ...))
def split_v(op: Op) -> KernelCall:
    """Split the input into parts with the sizes in a constant; one size may be -1, which means the rest."""
    x = op.input(0)
    sizes = op.input(1).integers("sizes")
    axis = _axis(x, op.input(2).integers("dimension"))
    if sizes.count(-1) == 1:
        rest = x.shape[axis] - sum(sizes) - 1
        sizes = [rest if size == -1 else size for size in sizes]
    if len(sizes) != len(op.outputs) or sum(sizes) != x.shape[axis] or min(sizes) < 1:
        raise op.refuse(
            f"cannot split {list(x.shape)} along dimension {axis} into {sizes} for {len(op.outputs)} outputs; "
            "export the model again"
        )
    return _split(op, x, axis, sizes)


@kernel("UNPACK", inputs=(MOVED,), outputs=(MOVED, ...))
def unpack(op: Op) -> KernelCall:
    """Split the input into one output per index of a dimension, and drop that dimension."""
    x = op.input(0)
    axis = _axis(x, [op.option("Axis", 0)])
    if len(op.outputs) != x.shape[axis]:
        raise op.refuse(
            f"cannot unpack {list(x.shape)} along dimension {axis} into {len(op.outputs)} outputs; export the model "
            "again"
        )
    return _split(op, x, axis, [1] * x.shape[axis], drop=True)


def _axis(x: Operand, named: Sequence[int]) -> int:
    """The dimension in `named`, counted from the front. Raises HilError unless there is exactly one."""
    rank = len(x.shape)
    if len(named) != 1 or not -rank <= named[0] < rank:
        raise x.op.refuse(f"cannot split {list(x.shape)} along dimension {list(named)}; export the model again")
    return named[0] % rank


def _split(op: Op, x: Operand, axis: int, sizes: Sequence[int], drop: bool = False) -> KernelCall:
    """The call for parts with these `sizes` along `axis`. With `drop` the outputs do not have that dimension."""
    for y, size in zip(op.outputs, sizes, strict=True):
        check_shape(y, [*x.shape[:axis], *([] if drop else [size]), *x.shape[axis + 1 :]])
        if x.type is not FLOAT32 and y.quantization != x.quantization:
            raise op.refuse("its input and outputs are quantized differently; quantize the model again")
    bytes_each = math.prod(x.shape[axis + 1 :]) * x.itemsize
    parameters: dict[str, Value] = {
        "rows": math.prod(x.shape[:axis]),
        "outputs": len(sizes),
        "row_bytes": Array("uint32_t", np.array([size * bytes_each for size in sizes], np.uint32)),
    }
    outputs = tuple(y.index for y in op.outputs)
    return KernelCall(op, (x.index,), outputs, HEADER, "aot_split", parameters, listed_outputs=True)

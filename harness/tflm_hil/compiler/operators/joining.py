"""Operators that join tensors: CONCATENATION and PACK."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tflm_hil.compiler.graph.op import Op
from tflm_hil.compiler.kernel_call import Array, KernelCall, Value
from tflm_hil.compiler.operators.movement import HEADER, MOVED, check_shape
from tflm_hil.compiler.operators.registry import FLOAT32, INT8, kernel


@kernel("CONCATENATION", inputs=(MOVED, ...), outputs=(MOVED,))
def concatenation(op: Op) -> KernelCall:
    """Join the inputs along a dimension."""
    inputs, y = op.inputs, op.output
    axis = op.option("Axis", 0)
    rank = len(y.shape)
    if not inputs or not -rank <= axis < rank:
        raise op.refuse(f"cannot join {len(inputs)} inputs along dimension {axis}; export the model again")
    axis %= rank
    if op.option("FusedActivationFunction", 0) != 0:
        raise op.refuse("has a fused activation, which TFLM refuses; use a separate operator")
    for x in inputs:
        if len(x.shape) != rank or x.shape[:axis] + x.shape[axis + 1 :] != y.shape[:axis] + y.shape[axis + 1 :]:
            raise op.refuse(f"cannot join {list(x.shape)} to {list(y.shape)}; export the model again")
        if y.type is INT8 and x.quantization != y.quantization:
            raise op.refuse(
                "its inputs and output are quantized differently, which TFLM refuses; quantize the model again"
            )
    if sum(x.shape[axis] for x in inputs) != y.shape[axis]:
        raise op.refuse(f"has inputs that do not fill the output {list(y.shape)}; export the model again")
    return _concatenate(op, math.prod(y.shape[:axis]), [math.prod(x.shape[axis:]) * x.itemsize for x in inputs])


@kernel("PACK", inputs=(MOVED, ...), outputs=(MOVED,))
def pack(op: Op) -> KernelCall:
    """Join inputs of equal shape along a new dimension."""
    inputs, y = op.inputs, op.output
    axis = op.option("Axis", 0)
    rank = len(y.shape)
    if not inputs or not -rank <= axis < rank or y.shape[axis] != len(inputs):
        raise op.refuse(f"cannot pack {len(inputs)} inputs to {list(y.shape)}; export the model again")
    axis %= rank
    for x in inputs:
        check_shape(x, y.shape[:axis] + y.shape[axis + 1 :])
        if y.type is not FLOAT32 and x.quantization != y.quantization:
            raise op.refuse("its inputs and output are quantized differently; quantize the model again")
    row_bytes = math.prod(y.shape[axis + 1 :]) * y.itemsize
    return _concatenate(op, math.prod(y.shape[:axis]), [row_bytes] * len(inputs))


def _concatenate(op: Op, rows: int, row_bytes: Sequence[int]) -> KernelCall:
    """The call for an output of `rows` rows, each of which consists of a row of each input."""
    parameters: dict[str, Value] = {
        "rows": rows,
        "inputs": len(row_bytes),
        "row_bytes": Array("uint32_t", np.array(row_bytes, np.uint32)),
    }
    indices = tuple(x.index for x in op.inputs)
    return KernelCall(op, indices, (op.output.index,), HEADER, "aot_concatenate", parameters, listed_inputs=True)

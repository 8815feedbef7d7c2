"""MAXIMUM, MINIMUM, REDUCE_MAX and REDUCE_MIN on int8 and float32."""

from __future__ import annotations

from tflm_hil.compiler.graph.op import Op
from tflm_hil.compiler.kernel_call import Array, KernelCall, Value
from tflm_hil.compiler.operators.binary import broadcast_axes
from tflm_hil.compiler.operators.mean import reduction
from tflm_hil.compiler.operators.registry import FLOAT32, INT8, INT32, OneOf, kernel

HEADER = "aot_extreme.h"
SUFFIXES = {FLOAT32: "f32", INT8: "s8"}
TYPE = OneOf((FLOAT32, INT8))


@kernel("MAXIMUM", "MINIMUM", inputs=(TYPE, TYPE), outputs=(TYPE,))
def extreme(op: Op) -> KernelCall:
    """y is the larger or the smaller one of a and b, with broadcasting."""
    a, b, y = op.input(0), op.input(1), op.output
    axes = broadcast_axes(op, a, b)
    parameters: dict[str, Value] = {"axes": Array("aot_axis_t", axes), "axis_count": len(axes)}
    inputs = (a.index, b.index)
    return KernelCall(op, inputs, (y.index,), HEADER, _kernel_name(op), parameters, "aot_extreme_t", in_place=True)


@kernel("REDUCE_MAX", "REDUCE_MIN", inputs=(TYPE, INT32), outputs=(TYPE,))
def reduce_extreme(op: Op) -> KernelCall:
    """y is the largest or the smallest element of x over the dimensions in a constant."""
    x, y = op.input(0), op.output
    parameters, _ = reduction(op)
    return KernelCall(op, (x.index,), (y.index,), HEADER, _kernel_name(op), parameters, "aot_reduce_t")


def _kernel_name(op: Op) -> str:
    """The name of the kernel. Raises HilError if int8 tensors are quantized differently."""
    compared = [x for x in op.present_inputs if x.type is op.output.type]
    if op.output.type is INT8 and any(x.quantization != op.output.quantization for x in compared):
        raise op.refuse("its inputs and output are quantized differently, which TFLM ignores; quantize the model again")
    return f"aot_{op.kind.lower()}_{SUFFIXES[op.output.type]}"

"""MEAN and SUM over any dimensions, on int8, int16 and float32."""

from __future__ import annotations

import math

from tflm_hil.compiler.arithmetic.quantization import Quantization, Scale, quantize_multiplier
from tflm_hil.compiler.graph.op import Op
from tflm_hil.compiler.kernel_call import Array, KernelCall, Value
from tflm_hil.compiler.operators.loops import Axis, merge, row_major
from tflm_hil.compiler.operators.registry import FLOAT32, INT8, INT16, INT32, kernel

HEADER = "aot_mean.h"
REMEDY = "quantize the model again"


@kernel("MEAN", "SUM", inputs=(FLOAT32, INT32), outputs=(FLOAT32,))
def mean_f32(op: Op) -> KernelCall:
    """y is the average or the sum of x over the dimensions in a constant; a sum is an average without the division."""
    loops, count = reduction(op)
    return _call(op, "aot_mean_f32", loops | {"elements": float(count) if op.kind == "MEAN" else 1.0})


@kernel("MEAN", "SUM", inputs=(INT8, INT32), outputs=(INT8,))
def mean_s8(op: Op) -> KernelCall:
    """The same on int8."""
    loops, count = reduction(op)
    source, target = op.input(0).quantization, op.output.quantization
    with op.refusing(REMEDY):
        scale = mean_scale(source, target, count if op.kind == "MEAN" else 1)
    parameters: dict[str, Value] = {
        "sum_of_zero": count * source.zero_point,
        "scale": scale,
        "zero_point": target.zero_point,
    }
    return _call(op, "aot_mean_s8", loops | parameters)


@kernel("MEAN", inputs=(INT16, INT32), outputs=(INT16,))
def mean_s16(op: Op) -> KernelCall:
    """The same on int16."""
    loops, count = reduction(op)
    source, target = Quantization(op.input(0).symmetric_scale, 0), Quantization(op.output.symmetric_scale, 0)
    with op.refusing(REMEDY):
        return _call(op, "aot_mean_s16", loops | {"scale": mean_scale(source, target, count)})


def _call(op: Op, name: str, parameters: dict[str, Value]) -> KernelCall:
    return KernelCall(op, (op.input(0).index,), (op.output.index,), HEADER, name, parameters)


def reduction(op: Op) -> tuple[dict[str, Value], int]:
    """Return the loops of an operator that reduces the dimensions in a constant, and how many elements become one.

    Raises:
        HilError: the input has no such dimensions, or the output has another shape.
    """
    x, y = op.input(0), op.output
    rank = len(x.shape)
    listed = op.input(1).integers("dimensions")
    if not all(-rank <= axis < rank for axis in listed):
        raise op.refuse(f"cannot reduce dimensions {listed} of {list(x.shape)}; export the model again")
    reduced = {axis % rank for axis in listed}
    keep = bool(op.option("KeepDims", 0))
    shape = [1 if axis in reduced else size for axis, size in enumerate(x.shape) if keep or axis not in reduced]
    if list(y.shape) != shape:
        raise op.refuse(f"has the output shape {list(y.shape)} instead of {shape}; export the model again")
    loops = [Axis(size, step, 0) for size, step in zip(x.shape, row_major(x.shape), strict=True)]
    kept_axes = merge(axis for number, axis in enumerate(loops) if number not in reduced)
    reduced_axes = merge(axis for number, axis in enumerate(loops) if number in reduced)
    parameters: dict[str, Value] = {
        "kept": Array("aot_axis_t", kept_axes),
        "kept_count": len(kept_axes),
        "reduced": Array("aot_axis_t", reduced_axes),
        "reduced_count": len(reduced_axes),
    }
    return parameters, math.prod(x.shape[axis] for axis in reduced)


def mean_scale(source: Quantization, target: Quantization, count: int) -> Scale:
    """Return the factor from the sum of `count` elements to their mean (QuantizedMeanOrSum in reference/reduce.h).

    The multiplier is divided by `count` and rounded down; it keeps its size if the shift leaves room. For a `count` of
    1 the factor is the ratio of the scales.

    Raises:
        ValueError: the scales are too different.
    """
    scale = quantize_multiplier(source.scale / target.scale)
    shift = scale.left - scale.right
    room = min(count.bit_length() - 1, 32, 31 + shift)
    multiplier = (scale.multiplier << room) // count
    shift -= room
    return Scale(multiplier, max(shift, 0), max(-shift, 0))

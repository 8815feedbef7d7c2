"""MEAN and SUM over any dimensions, on int8, int16 and float32."""

from __future__ import annotations

import math

from tflm_hil.compiler.arithmetic.quantization import Quantization, Scale, quantize_multiplier
from tflm_hil.compiler.graph.network import Network
from tflm_hil.compiler.kernel_call import Array, Step, Value
from tflm_hil.compiler.operators.common import refuse_types, symmetric
from tflm_hil.compiler.operators.loops import Axis, merge, row_major
from tflm_hil.models.tflite_file import Operator, Tensor, TensorType

HEADER = "aot_mean.h"


def lower_mean(operator: Operator, network: Network) -> Step:
    """y is the average of x over the dimensions that a constant lists."""
    x, y = network.tensor(operator, 0), network.output(operator)
    parameters, count = reduction(operator, network, x, y)
    match x.type, y.type:
        case TensorType.FLOAT32, TensorType.FLOAT32:
            return Step(operator, (x.index,), y.index, HEADER, "aot_mean_f32", parameters | {"elements": float(count)})
        case TensorType.INT8, TensorType.INT8:
            source, target = network.quantization(operator, x), network.quantization(operator, y)
            try:
                scale = mean_scale(source, target, count)
            except ValueError as error:
                raise network.refuse(operator, f"{error}; quantize the model again") from error
            parameters |= {
                "sum_of_zero": count * source.zero_point,
                "scale": scale,
                "zero_point": target.zero_point,
            }
            return Step(operator, (x.index,), y.index, HEADER, "aot_mean_s8", parameters)
        case TensorType.INT16, TensorType.INT16:
            source_scale, target_scale = symmetric(operator, network, x, y)
            try:
                scale = mean_scale(Quantization(source_scale, 0), Quantization(target_scale, 0), count)
            except ValueError as error:
                raise network.refuse(operator, f"{error}; quantize the model again") from error
            return Step(operator, (x.index,), y.index, HEADER, "aot_mean_s16", parameters | {"scale": scale})
    raise refuse_types(operator, network, "FLOAT32 -> FLOAT32, INT8 -> INT8, INT16 -> INT16")


def lower_sum(operator: Operator, network: Network) -> Step:
    """y is the sum of x over the dimensions that a constant lists: an average that is not divided."""
    x, y = network.tensor(operator, 0), network.output(operator)
    parameters, count = reduction(operator, network, x, y)
    match x.type, y.type:
        case TensorType.FLOAT32, TensorType.FLOAT32:
            return _step(operator, x, y, "f32", parameters | {"elements": 1.0})
        case TensorType.INT8, TensorType.INT8:
            source, target = network.quantization(operator, x), network.quantization(operator, y)
            try:
                scale = quantize_multiplier(source.scale / target.scale)
            except ValueError as error:
                raise network.refuse(operator, f"{error}; quantize the model again") from error
            zeros = {"sum_of_zero": count * source.zero_point, "zero_point": target.zero_point}
            return _step(operator, x, y, "s8", parameters | zeros | {"scale": scale})
    raise refuse_types(operator, network, "FLOAT32 -> FLOAT32, INT8 -> INT8")


def _step(operator: Operator, x: Tensor, y: Tensor, suffix: str, parameters: dict[str, Value]) -> Step:
    return Step(operator, (x.index,), y.index, HEADER, f"aot_mean_{suffix}", parameters)


def reduction(operator: Operator, network: Network, x: Tensor, y: Tensor) -> tuple[dict[str, Value], int]:
    """The loops of an operator that reduces the dimensions of x that a constant lists; how many elements make one of y.

    Raises:
        HilError: there are no such dimensions, or y has another shape.
    """
    rank = len(x.shape)
    listed = network.integers(operator, 1, "dimensions")
    if not all(-rank <= axis < rank for axis in listed):
        raise network.refuse(operator, f"reduces dimensions {listed} of {list(x.shape)}; export the model again")
    reduced = {axis % rank for axis in listed}
    keep = bool(network.option(operator, "KeepDims", 0))
    shape = [1 if axis in reduced else size for axis, size in enumerate(x.shape) if keep or axis not in reduced]
    if list(y.shape) != shape:
        raise network.refuse(operator, f"makes {list(y.shape)} instead of {shape}; export the model again")
    loops = [Axis(size, step, 0) for size, step in zip(x.shape, row_major(x.shape), strict=True)]
    kept_axes = merge(axis for number, axis in enumerate(loops) if number not in reduced)
    reduced_axes = merge(axis for number, axis in enumerate(loops) if number in reduced)
    count = math.prod(x.shape[axis] for axis in reduced)
    parameters: dict[str, Value] = {
        "kept": Array("aot_axis_t", kept_axes),
        "kept_count": len(kept_axes),
        "reduced": Array("aot_axis_t", reduced_axes),
        "reduced_count": len(reduced_axes),
    }
    return parameters, count


def mean_scale(source: Quantization, target: Quantization, count: int) -> Scale:
    """What turns the sum of `count` elements into their mean (QuantizedMeanOrSum in reference/reduce.h).

    The division goes into the multiplier, which is rounded down; it keeps its size where the shift leaves room.

    Raises:
        ValueError: the scales are too different.
    """
    scale = quantize_multiplier(source.scale / target.scale)
    shift = scale.left - scale.right
    room = min(count.bit_length() - 1, 32, 31 + shift)
    multiplier = (scale.multiplier << room) // count
    shift -= room
    return Scale(multiplier, max(shift, 0), max(-shift, 0))

"""ADD, SUB and MUL with broadcasting, on int8, int16 and float32."""

from __future__ import annotations

import numpy as np

from tflm_hil.compiler.arithmetic.quantization import (
    ACTIVATIONS,
    Quantization,
    float_limits,
    fraction,
    int8_limits,
    int16_limits,
    quantize_multiplier,
)
from tflm_hil.compiler.arithmetic.sum import LEFT_SHIFT, TABLED, WEIGHTED, addends, exact_sum, sum_scale
from tflm_hil.compiler.graph.network import Network
from tflm_hil.compiler.kernel_call import Array, Step, Value
from tflm_hil.compiler.operators.common import fused_activation, refuse_types, symmetric
from tflm_hil.compiler.operators.loops import Axis, broadcast
from tflm_hil.models.tflite_file import Operator, TensorType

HEADER = "aot_binary.h"
SUPPORTED = "FLOAT32 x FLOAT32 -> FLOAT32, INT8 x INT8 -> INT8, INT16 x INT16 -> INT16"
FLOAT_KERNELS = {"ADD": "aot_add_f32", "SUB": "aot_subtract_f32", "MUL": "aot_multiply_f32"}
# With more, the rounding of aot_multiply_s8 would not fit 32 bits.
MAX_PRODUCT_SHIFT = 23
# By so many bits the common scale of int16 operands is finer than twice the coarser one.
INT16_LEFT_SHIFT = 15


def lower_binary(operator: Operator, network: Network) -> Step:
    """y = activation(a op b) for ADD, SUB and MUL; either operand may be a constant."""
    a, b, y = network.tensor(operator, 0), network.tensor(operator, 1), network.output(operator)
    try:
        shape, axes = broadcast(a.shape, b.shape)
    except ValueError as error:
        raise network.refuse(operator, f"{error}; export the model again") from error
    if y.shape != shape:
        raise network.refuse(operator, f"makes {list(y.shape)} instead of {list(shape)}; export the model again")
    activation = fused_activation(operator, network)
    structure = ""
    match a.type, b.type, y.type:
        case TensorType.FLOAT32, TensorType.FLOAT32, TensorType.FLOAT32:
            minimum, maximum = float_limits(activation)
            parameters: dict[str, Value] = {"minimum": minimum, "maximum": maximum}
            kernel, structure = FLOAT_KERNELS[operator.kind], "aot_binary_f32_t"
        case TensorType.INT8, TensorType.INT8, TensorType.INT8:
            of_a, of_b, of_y = (network.quantization(operator, tensor) for tensor in (a, b, y))
            try:
                if operator.kind == "MUL":
                    kernel, parameters = _product(of_a, of_b, of_y)
                else:
                    kernel, parameters = _sum(of_a, of_b, of_y, -1 if operator.kind == "SUB" else 1)
            except ValueError as error:
                raise network.refuse(operator, f"{error}; quantize the model again") from error
            low, high = int8_limits(activation, of_y)
            parameters |= {"minimum": low, "maximum": high}
        case TensorType.INT16, TensorType.INT16, TensorType.INT16:
            scales = symmetric(operator, network, a, b, y)
            try:
                kernel, parameters = _int16(operator.kind, *scales)
            except ValueError as error:
                raise network.refuse(operator, f"{error}; quantize the model again") from error
            low, high = int16_limits(activation, Quantization(scales[2], 0))
            parameters |= {"minimum": low, "maximum": high}
        case _:
            raise refuse_types(operator, network, SUPPORTED)
    if kernel == TABLED and network.quantization(operator, a).scale < network.quantization(operator, b).scale:
        # It takes the coarser operand first.
        a, b = b, a
        axes = [Axis(axis.size, axis.second, axis.first) for axis in axes]
    parameters |= {"axes": Array("aot_axis_t", axes), "axis_count": len(axes)}
    note = ACTIVATIONS[activation][0]
    return Step(operator, (a.index, b.index), y.index, HEADER, kernel, parameters, structure, in_place=True, note=note)


def _product(a: Quantization, b: Quantization, y: Quantization) -> tuple[str, dict[str, Value]]:
    scale = quantize_multiplier(a.scale * b.scale / y.scale)
    zero_points: dict[str, Value] = {"a_zero_point": a.zero_point, "b_zero_point": b.zero_point}
    if scale.left == 0 and 1 <= scale.right <= MAX_PRODUCT_SHIFT:
        return "aot_multiply_s8", zero_points | {
            "multiplier": scale.multiplier,
            "shift": scale.right,
            "rounding": (2 * y.zero_point + 1) << (scale.right - 1),
        }
    return "aot_multiply_s8_rescaled", zero_points | {"scale": scale, "zero_point": y.zero_point}


def _sum(a: Quantization, b: Quantization, y: Quantization, sign: int) -> tuple[str, dict[str, Value]]:
    """The kernel and its parameters but for the axes."""
    scale = fraction(sum_scale(a, b, y))
    found = exact_sum(a, b, y, sign)
    if found is not None:
        return WEIGHTED, {"sum": found}
    coarse, fine, signs = (a, b, (1, sign)) if a.scale >= b.scale else (b, a, (sign, 1))
    factor = signs[0] << LEFT_SHIFT
    table = 2 * signs[1] * addends(fine, coarse) - coarse.zero_point * factor
    return TABLED, {
        "table": Array("int32_t", table.astype(np.int32)),
        "factor": factor,
        "scale": scale,
        "zero_point": y.zero_point,
    }


def _int16(kind: str, a: float, b: float, y: float) -> tuple[str, dict[str, Value]]:
    """The kernel for these scales and its parameters but for the axes and the limits.

    Raises:
        ValueError: the scales are too different.
    """
    if kind == "MUL":
        scale = quantize_multiplier(a * b / y)
        if scale.left:
            raise ValueError(f"the scale factor {a * b / y:g} is not below 1, so TFLM's products overflow")
        return "aot_multiply_s16", {"scale": scale}
    twice = 2 * max(a, b)
    scale = quantize_multiplier(twice / (2**INT16_LEFT_SHIFT * y))
    fraction(scale)
    return "aot_add_s16", {
        "a": quantize_multiplier(a / twice),
        "b": quantize_multiplier(b / twice),
        "sign": -1 if kind == "SUB" else 1,
        "scale": scale,
    }

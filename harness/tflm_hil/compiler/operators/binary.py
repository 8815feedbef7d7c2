"""ADD, SUB and MUL with broadcasting, on int8, int16 and float32."""

from __future__ import annotations

from collections.abc import Sequence

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
from tflm_hil.compiler.arithmetic.sum import LEFT_SHIFT, addends, exact_sum, sum_scale
from tflm_hil.compiler.graph.op import Op, Operand
from tflm_hil.compiler.kernel_call import Array, KernelCall, Value
from tflm_hil.compiler.operators.common import fused_activation
from tflm_hil.compiler.operators.loops import Axis, broadcast
from tflm_hil.compiler.operators.registry import FLOAT32, INT8, INT16, kernel

HEADER = "aot_binary.h"
FLOAT_KERNELS = {"ADD": "aot_add_f32", "SUB": "aot_subtract_f32", "MUL": "aot_multiply_f32"}
# With a larger shift, the rounding of aot_multiply_s8 does not fit 32 bits.
MAX_PRODUCT_SHIFT = 23
# The common scale of int16 operands is so many bits finer than twice the coarser scale.
INT16_LEFT_SHIFT = 15
REMEDY = "quantize the model again"


@kernel("ADD", "SUB", "MUL", inputs=(FLOAT32, FLOAT32), outputs=(FLOAT32,))
def binary_f32(op: Op) -> KernelCall:
    """y = activation(a op b)."""
    limits = float_limits(fused_activation(op))
    return _call(op, _operands(op), limits, FLOAT_KERNELS[op.kind], {}, "aot_binary_f32_t")


@kernel("ADD", "SUB", inputs=(INT8, INT8), outputs=(INT8,))
def sum_s8(op: Op) -> KernelCall:
    """y = activation(a + b) or activation(a - b), as a weighted sum, or with a table if no weighted sum is exact."""
    operands = a, b = _operands(op)
    of_a, of_b, of_y = a.quantization, b.quantization, op.output.quantization
    limits = int8_limits(fused_activation(op), of_y)
    sign = -1 if op.kind == "SUB" else 1
    with op.refusing(REMEDY):
        scale = fraction(sum_scale(of_a, of_b, of_y))
        found = exact_sum(of_a, of_b, of_y, sign)
    if found is not None:
        return _call(op, operands, limits, "aot_add_s8", {"sum": found})
    coarse, fine, signs = (a, b, (1, sign)) if of_a.scale >= of_b.scale else (b, a, (sign, 1))
    factor = signs[0] << LEFT_SHIFT
    table = 2 * signs[1] * addends(fine.quantization, coarse.quantization) - coarse.quantization.zero_point * factor
    parameters: dict[str, Value] = {
        "table": Array("int32_t", table.astype(np.int32)),
        "factor": factor,
        "scale": scale,
        "zero_point": of_y.zero_point,
    }
    return _call(op, (coarse, fine), limits, "aot_add_s8_tabled", parameters)


@kernel("MUL", inputs=(INT8, INT8), outputs=(INT8,))
def product_s8(op: Op) -> KernelCall:
    """y = activation(a b)."""
    a, b = (x.quantization for x in _operands(op))
    y = op.output.quantization
    limits = int8_limits(fused_activation(op), y)
    with op.refusing(REMEDY):
        scale = quantize_multiplier(a.scale * b.scale / y.scale)
    parameters: dict[str, Value] = {"a_zero_point": a.zero_point, "b_zero_point": b.zero_point}
    if scale.left == 0 and 1 <= scale.right <= MAX_PRODUCT_SHIFT:
        parameters |= {
            "multiplier": scale.multiplier,
            "shift": scale.right,
            "rounding": (2 * y.zero_point + 1) << (scale.right - 1),
        }
        return _call(op, _operands(op), limits, "aot_multiply_s8", parameters)
    parameters |= {"scale": scale, "zero_point": y.zero_point}
    return _call(op, _operands(op), limits, "aot_multiply_s8_rescaled", parameters)


@kernel("ADD", "SUB", inputs=(INT16, INT16), outputs=(INT16,))
def sum_s16(op: Op) -> KernelCall:
    """y = activation(a + b) or activation(a - b)."""
    a, b, y = _int16_scales(op)
    limits = int16_limits(fused_activation(op), Quantization(y, 0))
    twice = 2 * max(a, b)
    with op.refusing(REMEDY):
        scale = quantize_multiplier(twice / (2**INT16_LEFT_SHIFT * y))
        fraction(scale)
        parameters: dict[str, Value] = {
            "a": quantize_multiplier(a / twice),
            "b": quantize_multiplier(b / twice),
            "sign": -1 if op.kind == "SUB" else 1,
            "scale": scale,
        }
    return _call(op, _operands(op), limits, "aot_add_s16", parameters)


@kernel("MUL", inputs=(INT16, INT16), outputs=(INT16,))
def product_s16(op: Op) -> KernelCall:
    """y = activation(a b)."""
    a, b, y = _int16_scales(op)
    limits = int16_limits(fused_activation(op), Quantization(y, 0))
    with op.refusing(REMEDY):
        scale = quantize_multiplier(a * b / y)
        if scale.left:
            raise ValueError(f"the scale factor {a * b / y:g} is not below 1, so the products of TFLM overflow")
    return _call(op, _operands(op), limits, "aot_multiply_s16", {"scale": scale})


def _operands(op: Op) -> tuple[Operand, Operand]:
    return op.input(0), op.input(1)


def _int16_scales(op: Op) -> tuple[float, float, float]:
    a, b = _operands(op)
    return a.symmetric_scale, b.symmetric_scale, op.output.symmetric_scale


def _call(
    op: Op,
    operands: Sequence[Operand],
    limits: tuple[float, float],
    name: str,
    parameters: dict[str, Value],
    parameter_type: str = "",
) -> KernelCall:
    """The call with `operands` in this order. Raises HilError if their shapes do not broadcast."""
    a, b = operands
    axes = broadcast_axes(op, a, b)
    parameters = parameters | {
        "minimum": limits[0],
        "maximum": limits[1],
        "axes": Array("aot_axis_t", axes),
        "axis_count": len(axes),
    }
    inputs = (a.index, b.index)
    note = ACTIVATIONS[fused_activation(op)][0]
    return KernelCall(
        op, inputs, (op.output.index,), HEADER, name, parameters, parameter_type, in_place=True, note=note
    )


def broadcast_axes(op: Op, a: Operand, b: Operand) -> list[Axis]:
    """Return the loops over two inputs of `op`. Raise HilError if they do not broadcast to the shape of the output."""
    with op.refusing("export the model again"):
        shape, axes = broadcast(a.shape, b.shape)
    if op.output.shape != shape:
        raise op.refuse(
            f"has the output shape {list(op.output.shape)} instead of {list(shape)}; export the model again"
        )
    return axes

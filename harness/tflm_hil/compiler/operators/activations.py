"""Activations that are separate operators: RELU, RELU6, LEAKY_RELU, ELU, HARD_SWISH, LOGISTIC, TANH."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from tflm_hil.compiler.arithmetic.quantization import INT8_MAX, quantize_int8
from tflm_hil.compiler.graph.op import Op
from tflm_hil.compiler.kernel_call import Array, KernelCall, Value
from tflm_hil.compiler.operators.common import elementwise
from tflm_hil.compiler.operators.registry import FLOAT32, INT8, INT16, kernel
from tflm_hil.compiler.operators.tables import (
    LOGISTIC_OUTPUT,
    TANH_OUTPUT,
    elu_table,
    hard_swish_table,
    leaky_relu_table,
    logistic_table,
    relu_table,
    sigmoid_points,
    tanh_table,
)

CLAMPS, HEADER = "aot_elementwise.h", "aot_activations.h"
INT16_SCALE = 2.0**-15

# How many ULP float32 results may differ from TFLM on the host if the inputs are equal. With u = 2^-24, one ULP is at
# least u of the value. LOGISTIC: aot_exp_f32 and expf of glibc differ by at most one ULP, 2u; 1 + e and the division
# round on both sides, 2u each; together 6u. TANH: aot_tanh_f32 is within 2 ULP of the true value
# (aot_activations_f32.c), and so is tanhf of glibc according to its manual. ELU: aot_elu_f32 is within 2 ULP,
# and expm1f of glibc and newlib within 1 ULP (measured: 0.76 in 1.2 million arguments). All others are bit-exact.
FLOAT_ULP_BOUNDS = {"ELU": 3, "LOGISTIC": 6, "TANH": 4}

REMEDY = "quantize the model again"


@kernel("RELU", inputs=(FLOAT32,), outputs=(FLOAT32,))
def relu_f32(op: Op) -> KernelCall:
    """max(x, 0)."""
    return _call(op, CLAMPS, "aot_relu_f32", {})


@kernel("RELU", inputs=(INT8,), outputs=(INT8,))
def relu_s8(op: Op) -> KernelCall:
    """max(x, 0). As in TFLM, it may change the quantization."""
    x, y = elementwise(op)
    source, target = x.quantization, y.quantization
    if source == target:
        return _call(op, CLAMPS, "aot_clamp_s8", {"minimum": target.zero_point, "maximum": INT8_MAX})
    with op.refusing(REMEDY):
        return _table(op, relu_table(source, target))


@kernel("RELU6", inputs=(FLOAT32,), outputs=(FLOAT32,))
def relu6_f32(op: Op) -> KernelCall:
    """min(max(x, 0), 6)."""
    return _call(op, CLAMPS, "aot_clamp_f32", {"minimum": 0.0, "maximum": 6.0})


@kernel("RELU6", inputs=(INT8,), outputs=(INT8,))
def relu6_s8(op: Op) -> KernelCall:
    """min(max(x, 0), 6). The kernel of TFLM assumes that both tensors have the same quantization."""
    x, y = elementwise(op)
    quantization = x.quantization
    if y.quantization != quantization:
        raise op.refuse("its input and output are quantized differently, which TFLM ignores; quantize the model again")
    limits: dict[str, Value] = {"minimum": quantization.zero_point, "maximum": quantize_int8(6.0, quantization)}
    return _call(op, CLAMPS, "aot_clamp_s8", limits)


@kernel("LEAKY_RELU", inputs=(FLOAT32,), outputs=(FLOAT32,))
def leaky_relu_f32(op: Op) -> KernelCall:
    """x if it is positive, else alpha x."""
    return _call(op, HEADER, "aot_leaky_relu_f32", {"alpha": _slope(op)})


@kernel("LEAKY_RELU", inputs=(INT8,), outputs=(INT8,))
def leaky_relu_s8(op: Op) -> KernelCall:
    """x if it is positive, else alpha x."""
    x, y = elementwise(op)
    with op.refusing(REMEDY):
        return _table(op, leaky_relu_table(x.quantization, y.quantization, _slope(op)))


def _slope(op: Op) -> float:
    alpha = op.option("Alpha", 0.0)
    if not np.isfinite(alpha):
        raise op.refuse(f"has the slope {alpha}; export the model again")
    return alpha


@kernel("ELU", inputs=(FLOAT32,), outputs=(FLOAT32,))
def elu_f32(op: Op) -> KernelCall:
    """x if it is not negative, else e^x - 1."""
    return _call(op, HEADER, "aot_elu_f32", {})


@kernel("ELU", inputs=(INT8,), outputs=(INT8,))
def elu_s8(op: Op) -> KernelCall:
    """x if it is not negative, else e^x - 1."""
    x, y = elementwise(op)
    with op.refusing(REMEDY):
        return _table(op, elu_table(x.quantization, y.quantization))


@kernel("HARD_SWISH", inputs=(FLOAT32,), outputs=(FLOAT32,))
def hard_swish_f32(op: Op) -> KernelCall:
    """x relu6(x + 3) / 6."""
    return _call(op, HEADER, "aot_hard_swish_f32", {})


@kernel("HARD_SWISH", inputs=(INT8,), outputs=(INT8,))
def hard_swish_s8(op: Op) -> KernelCall:
    """x relu6(x + 3) / 6."""
    x, y = elementwise(op)
    with op.refusing(REMEDY):
        return _table(op, hard_swish_table(x.quantization, y.quantization))


@kernel("LOGISTIC", inputs=(FLOAT32,), outputs=(FLOAT32,))
def logistic_f32(op: Op) -> KernelCall:
    """1 / (1 + e^-x)."""
    return _call(op, HEADER, "aot_logistic_f32", {})


@kernel("LOGISTIC", inputs=(INT8,), outputs=(INT8,))
def logistic_s8(op: Op) -> KernelCall:
    """1 / (1 + e^-x)."""
    x, y = elementwise(op)
    if y.quantization != LOGISTIC_OUTPUT:
        raise op.refuse("its output must have scale 1/256 and zero point -128; quantize the model again")
    with op.refusing(REMEDY):
        return _table(op, logistic_table(x.quantization))


@kernel("LOGISTIC", inputs=(INT16,), outputs=(INT16,))
def logistic_s16(op: Op) -> KernelCall:
    """1 / (1 + e^-x)."""
    return _sigmoid(op, "aot_logistic_s16", 0)


@kernel("TANH", inputs=(FLOAT32,), outputs=(FLOAT32,))
def tanh_f32(op: Op) -> KernelCall:
    """The hyperbolic tangent."""
    return _call(op, HEADER, "aot_tanh_f32", {})


@kernel("TANH", inputs=(INT8,), outputs=(INT8,))
def tanh_s8(op: Op) -> KernelCall:
    """The hyperbolic tangent."""
    x, y = elementwise(op)
    if y.quantization != TANH_OUTPUT:
        raise op.refuse("its output must have scale 1/128 and zero point 0; quantize the model again")
    with op.refusing(REMEDY):
        return _table(op, tanh_table(x.quantization))


@kernel("TANH", inputs=(INT16,), outputs=(INT16,))
def tanh_s16(op: Op) -> KernelCall:
    """The hyperbolic tangent."""
    return _sigmoid(op, "aot_tanh_s16", 1)


def _sigmoid(op: Op, name: str, finest: int) -> KernelCall:
    """LOGISTIC or TANH on int16.

    The input is multiplied by 12288 times its scale. TFLM uses 15 bits of that factor (CalculateArithmeticOpData in
    micro/kernels/logistic_common.cc and tanh.cc), but all bits if the scale is 2^-12 times 1, or a power of two up to
    2^`finest`.
    """
    x, y = elementwise(op)
    source, target = x.symmetric_scale, y.symmetric_scale
    if target != INT16_SCALE:
        raise op.refuse("its output must have the scale 1/32768; quantize the model again")
    factor, shift = source * 4096 * 3, 0
    if factor >= 32768:
        raise op.refuse(f"its input scale {source:g} is too large; quantize the model again")
    if math.log2(source) + 12 not in range(finest + 1):
        while factor <= 32767 / 2 and shift <= 30:
            factor *= 2
            shift += 1
    parameters: dict[str, Value] = {
        "multiplier": int(factor),
        "shift": shift,
        "table": Array("int16_t", sigmoid_points()),
    }
    return _call(op, HEADER, name, parameters, "aot_sigmoid_s16_t")


def _table(op: Op, table: npt.NDArray[Any]) -> KernelCall:
    """A lookup of the int8 output in a `table` for all 256 inputs."""
    return _call(op, HEADER, "aot_table_s8", {"table": Array("int8_t", table)})


def _call(op: Op, header: str, name: str, parameters: dict[str, Value], parameter_type: str = "") -> KernelCall:
    x, y = elementwise(op)
    return KernelCall(
        op,
        (x.index,),
        (y.index,),
        header,
        name,
        {"elements": x.elements} | parameters,
        parameter_type,
        in_place=True,
    )

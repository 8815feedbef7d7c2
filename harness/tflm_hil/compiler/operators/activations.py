"""Activations as operators of their own: RELU, RELU6, LEAKY_RELU, HARD_SWISH, LOGISTIC, TANH."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from tflm_hil.compiler.arithmetic.quantization import INT8_MAX, Quantization, quantize_int8
from tflm_hil.compiler.graph.network import Network
from tflm_hil.compiler.kernel_call import Array, Step, Value
from tflm_hil.compiler.operators.common import refuse_types, symmetric, unary
from tflm_hil.compiler.operators.tables import (
    LOGISTIC_OUTPUT,
    TANH_OUTPUT,
    hard_swish_table,
    leaky_relu_table,
    logistic_table,
    relu_table,
    sigmoid_points,
    tanh_table,
)
from tflm_hil.models.tflite_file import Operator, TensorType

HEADER = "aot_elementwise.h"
SUPPORTED = "FLOAT32 -> FLOAT32, INT8 -> INT8"
INT16_SCALE = 2.0**-15

# How many ULP float32 results may differ from TFLM's on the host, given equal inputs; u = 2^-24, a ULP is at least u of
# the value. LOGISTIC: aot_exp_f32 and glibc's expf are within one ULP of each other, 2u; 1 + e and the division round
# on both sides, 2u each: 6u. TANH: aot_tanh_f32 is within 2 ULP of the true value (aot_activations_f32.c), and so is
# glibc's tanhf by its manual. All other float32 activations are the same to the last bit.
FLOAT_ULP_BOUNDS = {"LOGISTIC": 6, "TANH": 4}


def lower_relu(operator: Operator, network: Network) -> Step:
    """max(x, 0). The int8 kernel also changes the quantization, as TFLM's does."""
    x, y = unary(operator, network)
    match x.type, y.type:
        case TensorType.FLOAT32, TensorType.FLOAT32:
            elements: dict[str, Value] = {"elements": x.elements}
            return Step(operator, (x.index,), y.index, HEADER, "aot_relu_f32", elements, in_place=True)
        case TensorType.INT8, TensorType.INT8:
            source, target = network.quantization(operator, x), network.quantization(operator, y)
            if source == target:
                kept: dict[str, Value] = {
                    "elements": x.elements,
                    "minimum": target.zero_point,
                    "maximum": INT8_MAX,
                }
                return Step(operator, (x.index,), y.index, HEADER, "aot_clamp_s8", kept, in_place=True)
            return _float_or_table(operator, network, "", {}, relu_table)
    raise refuse_types(operator, network, SUPPORTED)


def lower_relu6(operator: Operator, network: Network) -> Step:
    """min(max(x, 0), 6). TFLM's int8 kernel keeps the quantization, so both tensors must have the same."""
    x, y = unary(operator, network)
    match x.type, y.type:
        case TensorType.FLOAT32, TensorType.FLOAT32:
            limits = {"elements": x.elements, "minimum": 0.0, "maximum": 6.0}
            return Step(operator, (x.index,), y.index, HEADER, "aot_clamp_f32", limits, in_place=True)
        case TensorType.INT8, TensorType.INT8:
            quantization = network.quantization(operator, x)
            if network.quantization(operator, y) != quantization:
                raise network.refuse(
                    operator, "its input and output are quantized differently, which TFLM would ignore; fuse it instead"
                )
            parameters = {
                "elements": x.elements,
                "minimum": quantization.zero_point,
                "maximum": quantize_int8(6.0, quantization),
            }
            return Step(operator, (x.index,), y.index, HEADER, "aot_clamp_s8", parameters, in_place=True)
    raise refuse_types(operator, network, SUPPORTED)


def lower_leaky_relu(operator: Operator, network: Network) -> Step:
    """x where it is positive, else alpha x."""
    alpha = float(network.option(operator, "Alpha", 0.0))
    if not np.isfinite(alpha):
        raise network.refuse(operator, f"has the slope {alpha}; train or export the model again")

    def table(source: Quantization, target: Quantization) -> npt.NDArray[np.int8]:
        return leaky_relu_table(source, target, alpha)

    return _float_or_table(operator, network, "aot_leaky_relu_f32", {"alpha": alpha}, table)


def lower_hard_swish(operator: Operator, network: Network) -> Step:
    """x relu6(x + 3) / 6."""
    return _float_or_table(operator, network, "aot_hard_swish_f32", {}, hard_swish_table)


def lower_logistic(operator: Operator, network: Network) -> Step:
    """1 / (1 + e^-x)."""

    def table(source: Quantization, target: Quantization) -> npt.NDArray[np.int8]:
        if target != LOGISTIC_OUTPUT:
            raise ValueError("its output must have scale 1/256 and zero point -128")
        return logistic_table(source)

    return _sigmoid(operator, network, "logistic", 0) or _float_or_table(
        operator, network, "aot_logistic_f32", {}, table
    )


def lower_tanh(operator: Operator, network: Network) -> Step:
    """tanh x."""

    def table(source: Quantization, target: Quantization) -> npt.NDArray[np.int8]:
        if target != TANH_OUTPUT:
            raise ValueError("its output must have scale 1/128 and zero point 0")
        return tanh_table(source)

    return _sigmoid(operator, network, "tanh", 1) or _float_or_table(operator, network, "aot_tanh_f32", {}, table)


def _sigmoid(operator: Operator, network: Network, name: str, finest: int) -> Step | None:
    """LOGISTIC or TANH on int16; None for other types.

    The input is multiplied by 12288 times its scale. TFLM takes 15 bits of that factor (CalculateArithmeticOpData of
    micro/kernels/logistic_common.cc and tanh.cc), but where the scale is 2^-12, or up to 2^`finest` times that, all.
    """
    x, y = unary(operator, network)
    if (x.type, y.type) != (TensorType.INT16, TensorType.INT16):
        return None
    source, target = symmetric(operator, network, x, y)
    if target != INT16_SCALE:
        raise network.refuse(operator, "its output must have the scale 1/32768; quantize it again")
    factor, shift = source * 4096 * 3, 0
    if factor >= 32768:
        raise network.refuse(operator, f"its input's scale {source:g} is too large; quantize it again")
    if math.log2(source) + 12 not in range(finest + 1):
        while factor <= 32767 / 2 and shift <= 30:
            factor *= 2
            shift += 1
    parameters: dict[str, Value] = {
        "elements": x.elements,
        "multiplier": int(factor),
        "shift": shift,
        "table": Array("int16_t", sigmoid_points()),
    }
    kernel = f"aot_{name}_s16"
    return Step(
        operator, (x.index,), y.index, "aot_activations.h", kernel, parameters, "aot_sigmoid_s16_t", in_place=True
    )


def _float_or_table(
    operator: Operator,
    network: Network,
    float_kernel: str,
    float_parameters: dict[str, Value],
    table: Callable[[Quantization, Quantization], npt.NDArray[Any]],
) -> Step:
    """The kernel for float32, or for int8 the table that belongs to the quantizations of input and output."""
    x, y = unary(operator, network)
    elements: dict[str, Value] = {"elements": x.elements}
    match x.type, y.type:
        case TensorType.FLOAT32, TensorType.FLOAT32:
            kernel, parameters = float_kernel, elements | float_parameters
        case TensorType.INT8, TensorType.INT8:
            try:
                content = table(network.quantization(operator, x), network.quantization(operator, y))
            except ValueError as error:
                raise network.refuse(operator, f"{error}; quantize the model again") from error
            kernel, parameters = "aot_table_s8", elements | {"table": Array("int8_t", content)}
        case _:
            raise refuse_types(operator, network, SUPPORTED)
    return Step(operator, (x.index,), y.index, "aot_activations.h", kernel, parameters, in_place=True)

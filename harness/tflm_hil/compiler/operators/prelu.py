"""PRELU on int8 and float32."""

from __future__ import annotations

from dataclasses import replace

from tflm_hil.compiler.arithmetic.quantization import Scale, quantize_multiplier
from tflm_hil.compiler.graph.op import Op
from tflm_hil.compiler.kernel_call import Array, KernelCall, Value
from tflm_hil.compiler.operators.binary import broadcast_axes
from tflm_hil.compiler.operators.registry import FLOAT32, INT8, kernel

HEADER = "aot_prelu.h"
# Products of two differences of int8 values, shifted by so much and one more, fit into 32 bits.
MOST_LEFT = 14


@kernel("PRELU", inputs=(FLOAT32, FLOAT32), outputs=(FLOAT32,))
def prelu_f32(op: Op) -> KernelCall:
    """x if it is not negative, else alpha x, with broadcasting."""
    return _call(op, "aot_prelu_f32", {})


@kernel("PRELU", inputs=(INT8, INT8), outputs=(INT8,))
def prelu_s8(op: Op) -> KernelCall:
    """The same on int8."""
    x, alpha, y = op.input(0).quantization, op.input(1).quantization, op.output.quantization
    with op.refusing("quantize the model again"):
        identity, slope = _saturating(x.scale / y.scale), _saturating(x.scale * alpha.scale / y.scale)
    parameters: dict[str, Value] = {
        "x_zero_point": x.zero_point,
        "alpha_zero_point": alpha.zero_point,
        "identity": identity,
        "slope": slope,
        "zero_point": y.zero_point,
    }
    return _call(op, "aot_prelu_s8", parameters)


def _saturating(factor: float) -> Scale:
    """The scale for an integer that becomes int8. A factor of 2^MOST_LEFT/2 saturates like any larger one."""
    scale = quantize_multiplier(factor)
    return replace(scale, left=min(scale.left, MOST_LEFT))


def _call(op: Op, name: str, parameters: dict[str, Value]) -> KernelCall:
    x, alpha, y = op.input(0), op.input(1), op.output
    axes = broadcast_axes(op, x, alpha)
    loops: dict[str, Value] = {"axes": Array("aot_axis_t", axes), "axis_count": len(axes)}
    return KernelCall(op, (x.index, alpha.index), (y.index,), HEADER, name, loops | parameters, in_place=True)

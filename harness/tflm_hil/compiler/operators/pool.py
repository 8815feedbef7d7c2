"""AVERAGE_POOL_2D and MAX_POOL_2D on int8, int16 and float32."""

from __future__ import annotations

from tflm_hil.compiler.arithmetic.quantization import ACTIVATIONS, Quantization, float_limits, int8_limits, int16_limits
from tflm_hil.compiler.graph.op import Op
from tflm_hil.compiler.graph.sliding_window import sliding_window
from tflm_hil.compiler.kernel_call import KernelCall, Value
from tflm_hil.compiler.operators.common import fused_activation
from tflm_hil.compiler.operators.registry import FLOAT32, INT8, INT16, kernel

HEADER = "aot_pool.h"
NAMES = {"AVERAGE_POOL_2D": "average", "MAX_POOL_2D": "max"}
# The pooling kernels of TFLM do not rescale, and refuse scales that differ by more.
SCALE_TOLERANCE = 1e-6


@kernel(*NAMES, inputs=(FLOAT32,), outputs=(FLOAT32,))
def pool_f32(op: Op) -> KernelCall:
    """y = activation(average or maximum of each window of x)."""
    return _call(op, "f32", float_limits(fused_activation(op)))


@kernel(*NAMES, inputs=(INT8,), outputs=(INT8,))
def pool_s8(op: Op) -> KernelCall:
    """The same on int8."""
    x, y = op.input(0).quantization, op.output.quantization
    _check_quantization(op, x, y)
    return _call(op, "s8", int8_limits(fused_activation(op), y))


@kernel(*NAMES, inputs=(INT16,), outputs=(INT16,))
def pool_s16(op: Op) -> KernelCall:
    """The same on int16."""
    x, y = Quantization(op.input(0).symmetric_scale, 0), Quantization(op.output.symmetric_scale, 0)
    _check_quantization(op, x, y)
    return _call(op, "s16", int16_limits(fused_activation(op), y))


def _check_quantization(op: Op, x: Quantization, y: Quantization) -> None:
    if abs(x.scale - y.scale) > SCALE_TOLERANCE or x.zero_point != y.zero_point:
        raise op.refuse("its input and output are quantized differently, which TFLM refuses; quantize the model again")


def _call(op: Op, suffix: str, limits: tuple[float, float]) -> KernelCall:
    x, y = op.input(0), op.output
    window = sliding_window(op, (op.option("FilterHeight", 0), op.option("FilterWidth", 0)))
    if x.shape[3] != y.shape[3]:
        raise op.refuse_shape()
    parameters: dict[str, Value] = {"window": window, "minimum": limits[0], "maximum": limits[1]}
    return KernelCall(
        op,
        (x.index,),
        (y.index,),
        HEADER,
        f"aot_{NAMES[op.kind]}_pool_{suffix}",
        parameters,
        parameter_type=f"aot_pool_{suffix}_t",
        lag=x.itemsize * window.lag(),
        note=ACTIVATIONS[fused_activation(op)][0],
    )

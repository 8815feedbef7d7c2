"""QUANTIZE and DEQUANTIZE between float32, int8, uint8 and int16, as far as TFLM supports them."""

from __future__ import annotations

import numpy as np

from tflm_hil.compiler.arithmetic.quantization import Quantization, quantize_multiplier
from tflm_hil.compiler.graph.op import Op
from tflm_hil.compiler.kernel_call import Array, KernelCall, Value
from tflm_hil.compiler.operators.common import elementwise
from tflm_hil.compiler.operators.registry import FLOAT32, INT8, INT16, UINT8, OneOf, kernel
from tflm_hil.compiler.operators.tables import rescale_table

HEADER = "aot_elementwise.h"
NAMES = {FLOAT32: "f32", INT8: "s8", UINT8: "u8", INT16: "s16"}
INTEGER = OneOf((INT8, UINT8, INT16))
REMEDY = "quantize the model again"


@kernel("QUANTIZE", inputs=(FLOAT32,), outputs=(INTEGER,))
def quantize(op: Op) -> KernelCall:
    """float32 to integers."""
    return _convert(op, "quantize", op.output.quantization)


@kernel("DEQUANTIZE", inputs=(INTEGER,), outputs=(FLOAT32,))
def dequantize(op: Op) -> KernelCall:
    """Integers to float32. Float16 constants are folded earlier."""
    return _convert(op, "dequantize", op.input(0).quantization)


@kernel("QUANTIZE", inputs=(INT8,), outputs=(INT8,))
@kernel("QUANTIZE", inputs=(INT8,), outputs=(UINT8,))
@kernel("QUANTIZE", inputs=(UINT8,), outputs=(INT8,))
def rescale_bytes(op: Op) -> KernelCall:
    """Bytes to bytes of another quantization, with a table."""
    x, y = elementwise(op)
    with op.refusing(REMEDY):
        table = Array("int8_t", rescale_table(x.type, x.quantization, y.type, y.quantization))
    parameters: dict[str, Value] = {"elements": x.elements, "table": table}
    return KernelCall(op, (x.index,), (y.index,), "aot_activations.h", "aot_table_s8", parameters, in_place=True)


@kernel("QUANTIZE", inputs=(INT8,), outputs=(INT16,))
@kernel("QUANTIZE", inputs=(INT16,), outputs=(INT8,))
@kernel("QUANTIZE", inputs=(INT16,), outputs=(INT16,))
def rescale(op: Op) -> KernelCall:
    """int8 or int16 to either type, with another quantization."""
    x, y = elementwise(op)
    source, target = x.quantization, y.quantization
    with op.refusing(REMEDY):
        scale = quantize_multiplier(source.scale / target.scale)
    assert y.type.dtype is not None
    limits = np.iinfo(y.type.dtype)
    parameters: dict[str, Value] = {
        "elements": x.elements,
        "scale": scale,
        "input_zero_point": source.zero_point,
        "output_zero_point": target.zero_point,
        "minimum": int(limits.min),
        "maximum": int(limits.max),
    }
    same_type = x.type == y.type
    name = f"aot_rescale_{NAMES[x.type]}" + ("" if same_type else f"_{NAMES[y.type]}")
    return KernelCall(op, (x.index,), (y.index,), HEADER, name, parameters, "aot_rescale_t", in_place=same_type)


def _convert(op: Op, verb: str, quantization: Quantization) -> KernelCall:
    x, y = elementwise(op)
    name = f"aot_{verb}_{NAMES[x.type]}_{NAMES[y.type]}"
    parameters: dict[str, Value] = {
        "elements": x.elements,
        "scale": quantization.scale,
        "zero_point": quantization.zero_point,
    }
    # Only bytes may alias float32 in C. The kernel goes element by element, so the smaller type lags behind.
    lag = max((y.itemsize - x.itemsize) * (x.elements - 1), 0) if 1 in (x.itemsize, y.itemsize) else None
    return KernelCall(op, (x.index,), (y.index,), HEADER, name, parameters, f"aot_{verb}_t", lag=lag)

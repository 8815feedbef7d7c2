"""QUANTIZE and DEQUANTIZE between float32, int8, uint8 and int16."""

from __future__ import annotations

import numpy as np

from tflm_hil.compiler.arithmetic.quantization import Quantization, quantize_multiplier
from tflm_hil.compiler.graph.network import Network
from tflm_hil.compiler.kernel_call import Array, Step, Value
from tflm_hil.compiler.operators.common import refuse_types, unary
from tflm_hil.compiler.operators.tables import rescale_table
from tflm_hil.models.tflite_file import Operator, Tensor, TensorType

HEADER = "aot_elementwise.h"
NAMES = {TensorType.FLOAT32: "f32", TensorType.INT8: "s8", TensorType.UINT8: "u8", TensorType.INT16: "s16"}
# As TFLM has them.
RESCALED = [
    (TensorType.INT8, TensorType.INT16),
    (TensorType.INT16, TensorType.INT8),
    (TensorType.INT16, TensorType.INT16),
]
TABLED = [
    (TensorType.INT8, TensorType.INT8),
    (TensorType.INT8, TensorType.UINT8),
    (TensorType.UINT8, TensorType.INT8),
]
INTEGERS = [TensorType.INT8, TensorType.UINT8, TensorType.INT16]


def lower_quantize(operator: Operator, network: Network) -> Step:
    """float32 to integers, or integers to others."""
    x, y = unary(operator, network)
    if x.type is TensorType.FLOAT32 and y.type in INTEGERS:
        return _convert(operator, x, y, "quantize", network.quantization(operator, y))
    if (x.type, y.type) not in TABLED + RESCALED:
        pairs = [(TensorType.FLOAT32, kind) for kind in INTEGERS] + TABLED + RESCALED
        raise refuse_types(operator, network, ", ".join(f"{source.name} -> {target.name}" for source, target in pairs))
    source, target = network.quantization(operator, x), network.quantization(operator, y)
    try:
        if (x.type, y.type) in TABLED:
            table = Array("int8_t", rescale_table(x.type, source, y.type, target))
            parameters: dict[str, Value] = {"elements": x.elements, "table": table}
            return Step(operator, (x.index,), y.index, "aot_activations.h", "aot_table_s8", parameters, in_place=True)
        scale = quantize_multiplier(source.scale / target.scale)
    except ValueError as error:
        raise network.refuse(operator, f"{error}; quantize the model again") from error
    assert y.type.dtype is not None
    limits = np.iinfo(y.type.dtype)
    parameters = {
        "elements": x.elements,
        "scale": scale,
        "input_zero_point": source.zero_point,
        "output_zero_point": target.zero_point,
        "minimum": int(limits.min),
        "maximum": int(limits.max),
    }
    kernel = f"aot_rescale_{NAMES[x.type]}" + (f"_{NAMES[y.type]}" if x.type != y.type else "")
    same_size = x.type == y.type
    return Step(
        operator, (x.index,), y.index, HEADER, kernel, parameters, parameter_type="aot_rescale_t", in_place=same_size
    )


def lower_dequantize(operator: Operator, network: Network) -> Step:
    """Integers to float32. Float16 constants never come here: Network has folded them."""
    x, y = unary(operator, network)
    if x.type not in INTEGERS or y.type is not TensorType.FLOAT32:
        supported = [f"{kind.name} -> FLOAT32" for kind in INTEGERS]
        raise refuse_types(operator, network, ", ".join([*supported, "constant FLOAT16 -> FLOAT32"]))
    return _convert(operator, x, y, "dequantize", network.quantization(operator, x))


def _convert(operator: Operator, x: Tensor, y: Tensor, name: str, quantization: Quantization) -> Step:
    kernel = f"aot_{name}_{NAMES[x.type]}_{NAMES[y.type]}"
    parameters: dict[str, Value] = {
        "elements": x.elements,
        "scale": quantization.scale,
        "zero_point": quantization.zero_point,
    }
    # Only between float32 and bytes, which C lets overlap anything: element by element, the smaller type stays behind.
    sizes = [tensor.type.dtype.itemsize for tensor in (x, y) if tensor.type.dtype]
    lag = max((sizes[1] - sizes[0]) * (x.elements - 1), 0) if 1 in sizes else None
    return Step(operator, (x.index,), y.index, HEADER, kernel, parameters, parameter_type=f"aot_{name}_t", lag=lag)

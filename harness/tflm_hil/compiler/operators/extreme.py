"""MAXIMUM, MINIMUM, REDUCE_MAX and REDUCE_MIN on int8 and float32."""

from __future__ import annotations

from tflm_hil.compiler.graph.network import Network
from tflm_hil.compiler.kernel_call import Array, Step, Value
from tflm_hil.compiler.operators.common import refuse_types
from tflm_hil.compiler.operators.loops import broadcast
from tflm_hil.compiler.operators.mean import reduction
from tflm_hil.models.tflite_file import Operator, Tensor, TensorType

HEADER = "aot_extreme.h"
SUFFIXES = {TensorType.FLOAT32: "f32", TensorType.INT8: "s8"}


def lower_extreme(operator: Operator, network: Network) -> Step:
    """y is the larger, or smaller, of a and b; either may be a constant."""
    a, b, y = network.tensor(operator, 0), network.tensor(operator, 1), network.output(operator)
    try:
        shape, axes = broadcast(a.shape, b.shape)
    except ValueError as error:
        raise network.refuse(operator, f"{error}; export the model again") from error
    if y.shape != shape:
        raise network.refuse(operator, f"makes {list(y.shape)} instead of {list(shape)}; export the model again")
    suffix = _suffix(operator, network, y, a, b)
    parameters: dict[str, Value] = {"axes": Array("aot_axis_t", axes), "axis_count": len(axes)}
    kernel = f"aot_{operator.kind.lower()}_{suffix}"
    return Step(
        operator, (a.index, b.index), y.index, HEADER, kernel, parameters, parameter_type="aot_extreme_t", in_place=True
    )


def lower_reduce_extreme(operator: Operator, network: Network) -> Step:
    """y is the largest, or smallest, element of x over the dimensions that a constant lists."""
    x, y = network.tensor(operator, 0), network.output(operator)
    parameters, _ = reduction(operator, network, x, y)
    kernel = f"aot_{operator.kind.lower()}_{_suffix(operator, network, y, x)}"
    return Step(operator, (x.index,), y.index, HEADER, kernel, parameters, parameter_type="aot_reduce_t")


def _suffix(operator: Operator, network: Network, y: Tensor, *inputs: Tensor) -> str:
    if y.type not in SUFFIXES or any(x.type != y.type for x in inputs):
        supported = ", ".join(f"{' x '.join([kind.name] * len(inputs))} -> {kind.name}" for kind in SUFFIXES)
        raise refuse_types(operator, network, supported)
    if y.type is TensorType.INT8:
        target = network.quantization(operator, y)
        if any(network.quantization(operator, x) != target for x in inputs):
            raise network.refuse(
                operator, "its inputs and output are quantized differently, which TFLM does not mind; quantize it again"
            )
    return SUFFIXES[y.type]

"""RELU and RELU6 as operators of their own."""

from __future__ import annotations

from harness.compiler.network import Network
from harness.compiler.operators.common import refuse_types, unary
from harness.compiler.quantisation import INT8_MAX, quantise_int8, quantise_multiplier
from harness.compiler.step import Step, Value
from harness.models.tflite_file import Operator, Tensor, TensorType

HEADER = "aot_elementwise.h"
SUPPORTED = "FLOAT32 -> FLOAT32, INT8 -> INT8"


def lower_relu(operator: Operator, network: Network) -> Step:
    """max(x, 0). The int8 kernel also changes the quantisation, as TFLM's does."""
    x, y = unary(operator, network)
    match x.type, y.type:
        case TensorType.FLOAT32, TensorType.FLOAT32:
            return _clamp_float(operator, x, y, float("inf"))
        case TensorType.INT8, TensorType.INT8:
            source, target = network.quantisation(operator, x), network.quantisation(operator, y)
            try:
                scale = quantise_multiplier(source.scale / target.scale)
            except ValueError as error:
                raise network.refuse(operator, f"{error}; quantise the model again") from error
            parameters: dict[str, Value] = {
                "elements": x.elements,
                "scale": scale,
                "input_zero_point": source.zero_point,
                "output_zero_point": target.zero_point,
                "minimum": quantise_int8(0.0, target),
                "maximum": INT8_MAX,
            }
            return Step(operator, (x.index,), y.index, HEADER, "aot_rescale_s8", parameters, in_place=True)
    raise refuse_types(operator, network, SUPPORTED)


def lower_relu6(operator: Operator, network: Network) -> Step:
    """min(max(x, 0), 6). TFLM's int8 kernel keeps the quantisation, so both tensors must have the same."""
    x, y = unary(operator, network)
    match x.type, y.type:
        case TensorType.FLOAT32, TensorType.FLOAT32:
            return _clamp_float(operator, x, y, 6.0)
        case TensorType.INT8, TensorType.INT8:
            quantisation = network.quantisation(operator, x)
            if network.quantisation(operator, y) != quantisation:
                raise network.refuse(
                    operator, "its input and output are quantised differently, which TFLM would ignore; fuse it instead"
                )
            parameters = {
                "elements": x.elements,
                "minimum": quantisation.zero_point,
                "maximum": quantise_int8(6.0, quantisation),
            }
            return Step(operator, (x.index,), y.index, HEADER, "aot_clamp_s8", parameters, in_place=True)
    raise refuse_types(operator, network, SUPPORTED)


def _clamp_float(operator: Operator, x: Tensor, y: Tensor, maximum: float) -> Step:
    parameters = {"elements": x.elements, "minimum": 0.0, "maximum": maximum}
    return Step(operator, (x.index,), y.index, HEADER, "aot_clamp_f32", parameters, in_place=True)

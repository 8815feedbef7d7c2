"""QUANTIZE and DEQUANTIZE between float32 and int8."""

from __future__ import annotations

from harness.compiler.network import Network
from harness.compiler.operators.common import refuse_types, unary
from harness.compiler.quantisation import INT8_MAX, INT8_MIN, quantise_multiplier
from harness.compiler.step import Step
from harness.models.tflite_file import Operator, TensorType

HEADER = "aot_elementwise.h"


def lower_quantize(operator: Operator, network: Network) -> Step:
    """float32 or int8 to int8."""
    x, y = unary(operator, network)
    match x.type, y.type:
        case TensorType.FLOAT32, TensorType.INT8:
            target = network.quantisation(operator, y)
            return Step(
                operator,
                (x.index,),
                y.index,
                HEADER,
                "aot_quantize_f32_s8",
                {"elements": x.elements, "scale": target.scale, "zero_point": target.zero_point},
            )
        case TensorType.INT8, TensorType.INT8:
            source, target = network.quantisation(operator, x), network.quantisation(operator, y)
            try:
                scale = quantise_multiplier(source.scale / target.scale)
            except ValueError as error:
                raise network.refuse(operator, f"{error}; quantise the model again") from error
            return Step(
                operator,
                (x.index,),
                y.index,
                HEADER,
                "aot_rescale_s8",
                {
                    "elements": x.elements,
                    "scale": scale,
                    "input_zero_point": source.zero_point,
                    "output_zero_point": target.zero_point,
                    "minimum": INT8_MIN,
                    "maximum": INT8_MAX,
                },
                in_place=True,
            )
    raise refuse_types(operator, network, "FLOAT32 -> INT8, INT8 -> INT8")


def lower_dequantize(operator: Operator, network: Network) -> Step:
    """int8 to float32. Float16 constants never come here: Network has unfolded them."""
    x, y = unary(operator, network)
    match x.type, y.type:
        case TensorType.INT8, TensorType.FLOAT32:
            source = network.quantisation(operator, x)
            return Step(
                operator,
                (x.index,),
                y.index,
                HEADER,
                "aot_dequantize_s8_f32",
                {"elements": x.elements, "scale": source.scale, "zero_point": source.zero_point},
            )
    raise refuse_types(operator, network, "INT8 -> FLOAT32, constant FLOAT16 -> FLOAT32")

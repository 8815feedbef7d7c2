"""ADD, SUB and MUL with broadcasting, on int8 and float32."""

from __future__ import annotations

from harness.compiler.nest import broadcast
from harness.compiler.network import Network
from harness.compiler.operators.common import fused_activation, refuse_types
from harness.compiler.quantisation import (
    ACTIVATIONS,
    Quantisation,
    addend,
    float_limits,
    fraction,
    int8_limits,
    quantise_multiplier,
)
from harness.compiler.step import Array, Step, Value
from harness.models.tflite_file import Operator, TensorType

HEADER = "aot_binary.h"
SUPPORTED = "FLOAT32 x FLOAT32 -> FLOAT32, INT8 x INT8 -> INT8"
# The common scale of both inputs is so many bits finer than twice the coarser one (TFLM's left_shift).
LEFT_SHIFT = 20


def lower_binary(operator: Operator, network: Network) -> Step:
    """y = activation(a op b) for ADD, SUB and MUL; either operand may be a constant."""
    a, b, y = network.tensor(operator, 0), network.tensor(operator, 1), network.output(operator)
    try:
        shape, axes = broadcast(a.shape, b.shape)
    except ValueError as error:
        raise network.refuse(operator, f"{error}; export the model again") from error
    if y.shape != shape:
        raise network.refuse(operator, f"makes {list(y.shape)} instead of {list(shape)}; export the model again")
    activation = fused_activation(operator, network)
    match a.type, b.type, y.type:
        case TensorType.FLOAT32, TensorType.FLOAT32, TensorType.FLOAT32:
            minimum, maximum = float_limits(activation)
            parameters: dict[str, Value] = {"minimum": minimum, "maximum": maximum}
            if operator.kind != "MUL":
                parameters["sign"] = -1.0 if operator.kind == "SUB" else 1.0
            suffix = "f32"
        case TensorType.INT8, TensorType.INT8, TensorType.INT8:
            quantisations = [network.quantisation(operator, tensor) for tensor in (a, b, y)]
            try:
                arithmetic = _product if operator.kind == "MUL" else _sum
                parameters = arithmetic(operator.kind, *quantisations)
            except ValueError as error:
                raise network.refuse(operator, f"{error}; quantise the model again") from error
            low, high = int8_limits(activation, quantisations[2])
            parameters |= {"zero_point": quantisations[2].zero_point, "minimum": low, "maximum": high}
            suffix = "s8"
        case _:
            raise refuse_types(operator, network, SUPPORTED)
    parameters |= {"axes": Array("aot_axis_t", axes), "axis_count": len(axes)}
    kernel = f"aot_{'multiply' if operator.kind == 'MUL' else 'add'}_{suffix}"
    note = ACTIVATIONS[activation][0]
    return Step(operator, (a.index, b.index), y.index, HEADER, kernel, parameters, in_place=True, note=note)


def _product(_kind: str, a: Quantisation, b: Quantisation, y: Quantisation) -> dict[str, Value]:
    return {
        "a_zero_point": a.zero_point,
        "b_zero_point": b.zero_point,
        "scale": quantise_multiplier(a.scale * b.scale / y.scale),
    }


def _sum(kind: str, a: Quantisation, b: Quantisation, y: Quantisation) -> dict[str, Value]:
    twice = 2 * max(a.scale, b.scale)
    return {
        "a": addend(a, a.scale / twice),
        "b": addend(b, b.scale / twice),
        "sign": -1 if kind == "SUB" else 1,
        "scale": fraction(quantise_multiplier(twice / (2**LEFT_SHIFT * y.scale))),
    }

"""FULLY_CONNECTED on int8 (a scale a tensor or a channel) and on float32."""

from __future__ import annotations

import numpy as np

from tflm_hil.compiler.arithmetic.quantization import ACTIVATIONS, Fraction, float_limits, int8_limits
from tflm_hil.compiler.graph.network import Network
from tflm_hil.compiler.kernel_call import Array, Step, Value
from tflm_hil.compiler.operators.common import fused_activation, refuse_types
from tflm_hil.compiler.operators.float_convolution import parts
from tflm_hil.compiler.operators.packing import can_pack, pack_rows
from tflm_hil.compiler.operators.weights import (
    constant_bias,
    int8_weights,
    int16_parameters,
    refuse_hybrid,
    weight_scales,
)
from tflm_hil.models.tflite_file import Operator, TensorType

HEADER = "aot_fully_connected.h"
SUPPORTED = "FLOAT32 x FLOAT32 -> FLOAT32, INT8 x INT8 -> INT8, INT16 x INT8 -> INT16"


def lower_fully_connected(operator: Operator, network: Network) -> Step:
    """y = activation(x * transposed weights + bias); weights and bias are constants, the bias may be absent."""
    x, weights, y = network.tensor(operator, 0), network.tensor(operator, 1), network.output(operator)
    refuse_hybrid(operator, network)
    activation = fused_activation(operator, network)
    if network.option(operator, "WeightsFormat", 0) != 0:
        raise network.refuse(operator, "its weights are shuffled; export the model with the default weights format")
    if len(weights.shape) != 2 or not y.shape or y.shape[-1] != weights.shape[0]:
        raise network.refuse(
            operator, f"makes {list(y.shape)} with weights {list(weights.shape)}; export the model again"
        )
    rows, columns = weights.shape
    batches = y.elements // rows
    if x.elements != batches * columns:
        raise network.refuse(operator, f"takes {batches} x {columns} inputs, but gets {list(x.shape)}; export it again")
    shape: dict[str, Value] = {"batches": batches, "columns": columns, "rows": rows}
    note = ACTIVATIONS[activation][0]
    match x.type, weights.type, y.type:
        case TensorType.FLOAT32, TensorType.FLOAT32, TensorType.FLOAT32:
            parameters = shape | _float_parameters(operator, network, rows, activation)
            kernel, readable = "aot_fully_connected_f32", 0
        case TensorType.INT8, TensorType.INT8, TensorType.INT8:
            kernel, int8_parameters = _int8_parameters(operator, network, activation)
            parameters = shape | int8_parameters
            readable = -columns % 4
        case TensorType.INT16, TensorType.INT8, TensorType.INT16:
            parameters = shape | {"weights": Array("int8_t", int8_weights(operator, network))}
            parameters |= int16_parameters(operator, network, rows, activation, 0)
            kernel, readable = "aot_fully_connected_s16", 0
        case _:
            raise refuse_types(operator, network, SUPPORTED)
    return Step(operator, (x.index,), y.index, HEADER, kernel, parameters, readable={x.index: readable}, note=note)


def _float_parameters(operator: Operator, network: Network, rows: int, activation: int) -> dict[str, Value]:
    weights = network.constant(operator, 1, "weights", TensorType.FLOAT32)
    minimum, maximum = float_limits(activation)
    return {
        # Column by column, in groups of rows that are computed together.
        "weights": Array("float", np.concatenate([weights[part.start : part.stop].T.ravel() for part in parts(rows)])),
        "bias": Array("float", constant_bias(operator, network, rows, TensorType.FLOAT32)),
        "minimum": minimum,
        "maximum": maximum,
    }


def _int8_parameters(operator: Operator, network: Network, activation: int) -> tuple[str, dict[str, Value]]:
    """The kernel for these weights and its parameters."""
    x, y = network.tensor(operator, 0), network.output(operator)
    values = int8_weights(operator, network)
    source, target = network.quantization(operator, x), network.quantization(operator, y)
    scales = weight_scales(operator, network, y, 0)
    bias = constant_bias(operator, network, values.shape[0], TensorType.INT32).astype(np.int64)
    # sum((x - z) w) + b = sum(x w) + (b - z sum(w)). TFLM's sums wrap at 32 bits, so this may, too.
    folded = (bias - source.zero_point * values.sum(axis=1, dtype=np.int64)).astype(np.int32)
    minimum, maximum = int8_limits(activation, target)
    common: dict[str, Value] = {
        "bias": Array("int32_t", folded),
        "scale_step": 1 if len(scales) > 1 else 0,
        "zero_point": target.zero_point,
        "minimum": minimum,
        "maximum": maximum,
    }
    if can_pack(values, folded, scales):
        fractions = [Fraction(scale.multiplier, scale.right - 1) for scale in scales]
        arrays = {"weights": Array("int16_t", pack_rows(values)), "scale": Array("aot_fraction_t", fractions)}
        return "aot_fully_connected_s8", arrays | common
    arrays = {"weights": Array("int8_t", values.ravel()), "scale": Array("aot_scale_t", scales)}
    return "aot_fully_connected_s8_unpacked", arrays | common

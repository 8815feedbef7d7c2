"""FULLY_CONNECTED on int8 (a scale a tensor or a channel) and on float32."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from harness.compiler.network import Network
from harness.compiler.operators.common import fused_activation, refuse_types
from harness.compiler.packing import can_pack, pack_rows
from harness.compiler.quantisation import ACTIVATIONS, Fraction, Scale, float_limits, int8_limits, quantise_multiplier
from harness.compiler.step import Array, Step, Value
from harness.models.tflite_file import Operator, Tensor, TensorType

HEADER = "aot_fully_connected.h"
SUPPORTED = "FLOAT32 x FLOAT32 -> FLOAT32, INT8 x INT8 -> INT8"


def lower_fully_connected(operator: Operator, network: Network) -> Step:
    """y = activation(x * transposed weights + bias); weights and bias are constants, the bias may be absent."""
    x, weights, y = network.tensor(operator, 0), network.tensor(operator, 1), network.output(operator)
    if x.type is TensorType.FLOAT32 and weights.type is TensorType.INT8:
        raise network.refuse(
            operator,
            "hybrid: float32 activations with int8 weights, which TFLM refuses too; convert the model to full int8 "
            "(with a representative data set) or leave it float32",
        )
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
        case _:
            raise refuse_types(operator, network, SUPPORTED)
    return Step(operator, (x.index,), y.index, HEADER, kernel, parameters, readable={x.index: readable}, note=note)


def _bias(operator: Operator, network: Network, rows: int, kind: TensorType) -> npt.NDArray[Any]:
    if len(operator.inputs) < 3 or operator.inputs[2] < 0:
        assert kind.dtype is not None
        return np.zeros(rows, kind.dtype)
    bias = network.constant(operator, 2, "biases", kind)
    if bias.size != rows:
        raise network.refuse(operator, f"has {bias.size} biases for {rows} outputs; export the model again")
    return bias.reshape(rows)


def _float_parameters(operator: Operator, network: Network, rows: int, activation: int) -> dict[str, Value]:
    weights = network.constant(operator, 1, "weights", TensorType.FLOAT32)
    grouped = rows - rows % 4
    # Groups of four rows column by column; the remaining rows as they are.
    groups = weights[:grouped].reshape(-1, 4, weights.shape[1]).transpose(0, 2, 1)
    minimum, maximum = float_limits(activation)
    return {
        "weights": Array("float", np.concatenate([groups.ravel(), weights[grouped:].ravel()])),
        "bias": Array("float", _bias(operator, network, rows, TensorType.FLOAT32)),
        "minimum": minimum,
        "maximum": maximum,
    }


def _int8_parameters(operator: Operator, network: Network, activation: int) -> tuple[str, dict[str, Value]]:
    """The kernel for these weights and its parameters."""
    x, weights, y = network.tensor(operator, 0), network.tensor(operator, 1), network.output(operator)
    values = network.constant(operator, 1, "weights", TensorType.INT8)
    if np.any(weights.zero_points != 0):
        raise network.refuse(operator, "its weights have a zero point other than 0; quantise them symmetrically")
    source, target = network.quantisation(operator, x), network.quantisation(operator, y)
    scales = _scales(operator, network, source.scale, weights, target.scale)
    bias = _bias(operator, network, weights.shape[0], TensorType.INT32).astype(np.int64)
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


def _scales(operator: Operator, network: Network, source: float, weights: Tensor, target: float) -> list[Scale]:
    """input scale * weight scale / output scale, for the tensor or for each channel."""
    if len(weights.scales) not in (1, weights.shape[0]) or weights.quantized_dimension != 0:
        raise network.refuse(
            operator,
            f"its weights have {len(weights.scales)} scales along dimension {weights.quantized_dimension} for "
            f"{weights.shape[0]} outputs; quantise the model again",
        )
    try:
        return [quantise_multiplier(source * float(scale) / target) for scale in weights.scales]
    except ValueError as error:
        raise network.refuse(operator, f"{error}; quantise the model again") from error

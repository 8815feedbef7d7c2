"""FULLY_CONNECTED on int8, int16 and float32. Weights have one scale, or one per output."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tflm_hil.compiler.arithmetic.quantization import ACTIVATIONS, Fraction, float_limits, int8_limits
from tflm_hil.compiler.graph.op import Op
from tflm_hil.compiler.kernel_call import Array, KernelCall, Value
from tflm_hil.compiler.operators.common import fused_activation
from tflm_hil.compiler.operators.float_convolution import parts
from tflm_hil.compiler.operators.packing import can_pack, pack_rows
from tflm_hil.compiler.operators.registry import FLOAT32, INT8, INT16, INT32, INT64, kernel
from tflm_hil.compiler.operators.weights import constant_bias, int8_weights, int16_parameters, weight_scales

HEADER = "aot_fully_connected.h"


@dataclass(frozen=True)
class _Layer:
    """The shape of a layer: weights [rows, columns] and inputs [batches, columns]."""

    batches: int
    columns: int
    rows: int
    activation: int

    def call(self, op: Op, name: str, parameters: dict[str, Value], readable: int = 0) -> KernelCall:
        """Return the call of kernel `name`, which may read `readable` bytes beyond the input."""
        x = op.input(0).index
        shape: dict[str, Value] = {"batches": self.batches, "columns": self.columns, "rows": self.rows}
        note = ACTIVATIONS[self.activation][0]
        return KernelCall(
            op, (x,), (op.output.index,), HEADER, name, shape | parameters, readable={x: readable}, note=note
        )


@kernel("FULLY_CONNECTED", inputs=(FLOAT32, FLOAT32, FLOAT32), outputs=(FLOAT32,))
def fully_connected_f32(op: Op) -> KernelCall:
    """y = activation(x * transposed weights + bias)."""
    layer = _layer(op)
    weights = op.input(1).constant("weights")
    minimum, maximum = float_limits(layer.activation)
    # Groups of rows that are computed together, each column by column.
    columns = [weights[part.start : part.stop].T.ravel() for part in parts(layer.rows)]
    parameters: dict[str, Value] = {
        "weights": Array("float", np.concatenate(columns)),
        "bias": Array("float", constant_bias(op, layer.rows, np.float32)),
        "minimum": minimum,
        "maximum": maximum,
    }
    return layer.call(op, "aot_fully_connected_f32", parameters)


@kernel("FULLY_CONNECTED", inputs=(INT8, INT8, INT32), outputs=(INT8,))
def fully_connected_s8(op: Op) -> KernelCall:
    """The same on int8."""
    layer = _layer(op)
    values = int8_weights(op)
    source, target = op.input(0).quantization, op.output.quantization
    scales = weight_scales(op, 0)
    bias = constant_bias(op, layer.rows, np.int32).astype(np.int64)
    # sum((x - z) w) + b = sum(x w) + (b - z sum(w)). Sums of TFLM wrap at 32 bits, so this may wrap too.
    folded = (bias - source.zero_point * values.sum(axis=1, dtype=np.int64)).astype(np.int32)
    minimum, maximum = int8_limits(layer.activation, target)
    parameters: dict[str, Value] = {
        "bias": Array("int32_t", folded),
        "scale_step": 1 if len(scales) > 1 else 0,
        "zero_point": target.zero_point,
        "minimum": minimum,
        "maximum": maximum,
    }
    arrays: dict[str, Value]
    if can_pack(values, folded, scales):
        name = "aot_fully_connected_s8"
        fractions = [Fraction(scale.multiplier, scale.right - 1) for scale in scales]
        arrays = {"weights": Array("int16_t", pack_rows(values)), "scale": Array("aot_fraction_t", fractions)}
    else:
        name = "aot_fully_connected_s8_unpacked"
        arrays = {"weights": Array("int8_t", values.ravel()), "scale": Array("aot_scale_t", scales)}
    return layer.call(op, name, arrays | parameters, readable=-layer.columns % 4)


@kernel("FULLY_CONNECTED", inputs=(INT16, INT8, INT64), outputs=(INT16,))
@kernel("FULLY_CONNECTED", inputs=(INT16, INT8, INT32), outputs=(INT16,))
def fully_connected_s16(op: Op) -> KernelCall:
    """The same on int16 activations with int8 weights."""
    layer = _layer(op)
    weights: dict[str, Value] = {"weights": Array("int8_t", int8_weights(op))}
    return layer.call(op, "aot_fully_connected_s16", weights | int16_parameters(op, layer.rows, layer.activation, 0))


def _layer(op: Op) -> _Layer:
    """Check options and shapes, and return the layer."""
    x, weights, y = op.input(0), op.input(1), op.output
    activation = fused_activation(op)
    if op.option("WeightsFormat", 0) != 0:
        raise op.refuse("its weights are shuffled; export the model with the default weights format")
    if len(weights.shape) != 2 or not y.shape or y.shape[-1] != weights.shape[0]:
        raise op.refuse(
            f"has the output {list(y.shape)}, which does not fit weights {list(weights.shape)}; export the model again"
        )
    rows, columns = weights.shape
    batches = y.elements // rows
    if x.elements != batches * columns:
        raise op.refuse(f"needs {batches} x {columns} inputs, but has {list(x.shape)}; export the model again")
    return _Layer(batches, columns, rows, activation)
